"""The seller's money: what shipping earns, what refunds take back, closed every two weeks.

The marketplace collects the tax and pays it over itself, so that tax comes in and goes out again
with every sale. Its commission is a share of the price of the goods.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mocks._walmart_orders import Line, LineMoney, Order
from mocks.kit.calls import RefusalKind, Refused
from mocks.kit.ledger import MoneyLedger, Posting, PostingKind
from mocks.kit.money import Money, Tax

PRICE, TAX, WITHHELD = "Product Price", "Product tax", "Product tax withheld"
COMMISSION = "Commission on Product"


@dataclass(frozen=True, slots=True)
class Rates:
    """What is charged beside the price, as shares of it."""

    tax: Fraction
    commission: Fraction


def no_money(currency: str) -> LineMoney:
    """Return the money of a line of which nothing has shipped."""
    return LineMoney(*(Money(currency, 0) for _ in range(6)))


class Till:
    """Posts the money of one seller's lines into the ledger."""

    def __init__(self, ledger: MoneyLedger, rates: Rates) -> None:
        """Post into ``ledger`` by ``rates``."""
        self.ledger = ledger
        self.rates = rates

    def tax_on(self, price: Money) -> Money:
        """Return the tax a buyer pays on a price."""
        return Tax(self.rates.tax).apply(price).tax

    def ship(self, order: Order, line: Line, quantity: int, now_us: int) -> None:
        """Charge the buyer for units that leave.

        Tax and commission are rounded on everything the line has sold so far, so that the parts
        of a line add up to what the whole would have given.
        """
        money = line.money
        sold = money.sold + line.unit_price.times(quantity)
        tax, commission = self.tax_on(sold), sold.times(self.rates.commission)
        new_tax, new_commission = tax - money.tax, commission - money.commission
        facts: dict[str, object] = {"type": "Sale", "text": "Purchase", "quantity": quantity}
        self._post(order, line, now_us, PostingKind.SALE, PRICE, sold - money.sold, facts)
        self._post(order, line, now_us, PostingKind.TAX, TAX, new_tax, facts)
        self._post(order, line, now_us, PostingKind.TAX, WITHHELD, -new_tax, facts)
        self._post(order, line, now_us, PostingKind.FEE, COMMISSION, -new_commission, facts)
        money.sold, money.tax, money.commission = sold, tax, commission

    def check_refund(self, line: Line, amount: Money) -> None:
        """Refuse what cannot be given back: nothing, another currency, or more than is left."""
        money = line.money
        if amount.currency != money.sold.currency:
            msg = f"line {line.number} was paid in {money.sold.currency}"
        elif amount.minor <= 0:
            msg = f"line {line.number}: a refund of nothing"
        elif amount.minor > (money.sold - money.refunded).minor:
            left = (money.sold - money.refunded).text()
            msg = f"line {line.number}: {amount.text()} is more than the {left} that are left"
        else:
            return
        raise Refused(RefusalKind.INVALID, msg, reason="body.wrong")

    def refund(self, order: Order, line: Line, amount: Money, reason: str, now_us: int) -> None:
        """Give back part of the price with its share of tax and commission."""
        money = line.money
        refunded = money.refunded + amount
        share = Fraction(refunded.minor, money.sold.minor)
        tax, commission = money.tax.times(share), money.commission.times(share)
        new_tax, new_commission = tax - money.tax_refunded, commission - money.commission_returned
        facts: dict[str, object] = {"type": "Refund", "text": "Refund", "reason": reason}
        self._post(order, line, now_us, PostingKind.REFUND, PRICE, -amount, facts)
        self._post(order, line, now_us, PostingKind.TAX_REFUND, TAX, -new_tax, facts)
        self._post(order, line, now_us, PostingKind.TAX_REFUND, WITHHELD, new_tax, facts)
        self._post(order, line, now_us, PostingKind.FEE_REFUND, COMMISSION, new_commission, facts)
        money.refunded, money.tax_refunded, money.commission_returned = refunded, tax, commission

    def _post(
        self,
        order: Order,
        line: Line,
        now_us: int,
        kind: PostingKind,
        amount_type: str,
        amount: Money,
        facts: dict[str, object],
    ) -> Posting:
        return self.ledger.post(
            now_us,
            kind,
            order.id,
            amount,
            line=line.number,
            amount_type=amount_type,
            customer_order_id=order.customer_order_id,
            sku=line.sku,
            title=line.title,
            ordered=line.quantity,
            city=order.draft.city,
            zip=order.draft.postal_code,
            **facts,
        )
