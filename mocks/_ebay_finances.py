"""The finances service: payouts, the transactions in them, and what is not paid out yet."""

from __future__ import annotations

from typing import Any

from mocks import _ebay_shapes as shapes
from mocks._ebay_filters import read_filter
from mocks._ebay_money import Payout, Transaction
from mocks._ebay_sellers import DAY_US, Sellers
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused

_USUAL_DAYS = 90


class FinancesService:
    """Answers what is asked about money."""

    def __init__(self, sellers: Sellers) -> None:
        """Work for these sellers."""
        self._sellers = sellers

    def payouts(self, call: Call) -> Answer:
        """List payouts, newest first."""
        self._sellers.check_signature(call)
        asked = read_filter(
            call.query.get("filter"), spans=("payoutDate",), choices=("payoutId", "payoutStatus")
        )
        rows = [
            payout
            for payout in self._all(call)
            if asked.allows("payoutId", payout.payout_id)
            and asked.allows("payoutStatus", "SUCCEEDED")
            and asked.within("payoutDate", payout.at_us)
            and ("payoutDate" in asked.spans or _recent(payout.at_us, call))
        ]
        return self._page(call, "payouts", _sorted(call, "payoutDate", rows), shapes.payout)

    def _all(self, call: Call) -> list[Payout]:
        return self._sellers.at(call.account, call.now_us).till.payouts(call.now_us)

    def payout(self, call: Call) -> Answer:
        """Read one payout."""
        self._sellers.check_signature(call)
        wanted = call.path.get("payoutId", "")
        for payout in self._all(call):
            if payout.payout_id == wanted:
                return Answer(200, shapes.payout(payout))
        raise Refused(RefusalKind.NOT_FOUND, f"There is no payout {wanted!r}.")

    def transactions(self, call: Call) -> Answer:
        """List transactions, newest first."""
        self._sellers.check_signature(call)
        asked = read_filter(
            call.query.get("filter"),
            spans=("transactionDate",),
            choices=("payoutId", "orderId", "transactionType", "transactionStatus"),
        )
        till = self._sellers.at(call.account, call.now_us).till
        rows: list[Transaction] = [
            made
            for made in till.transactions(call.now_us)
            if asked.allows("payoutId", made.payout_id)
            and asked.allows("orderId", made.order_id)
            and asked.allows("transactionType", made.kind)
            and asked.allows("transactionStatus", shapes.status_of(made))
            and asked.within("transactionDate", made.at_us)
            and ("transactionDate" in asked.spans or _recent(made.at_us, call))
        ]
        rows = _sorted(call, "transactionDate", rows)
        return self._page(call, "transactions", rows, shapes.transaction)

    def summary(self, call: Call) -> Answer:
        """Tell what waits for a payout, in the seller's first currency that has anything."""
        self._sellers.check_signature(call)
        till = self._sellers.at(call.account, call.now_us).till
        balances = till.balances(call.now_us)
        if not balances:
            return Answer(204)
        owed = shapes.amount(balances[0])
        return Answer(200, {"totalFunds": owed, "availableFunds": owed})

    def _page(self, call: Call, name: str, rows: list[Any], word: Any) -> Answer:
        page = self._sellers.manners.pager.open(call).page(rows)
        if not page.total:
            return Answer(204)
        shown = shapes.page_frame(call, page)
        shown[name] = [word(row) for row in page.items]
        return Answer(200, shown)


def _recent(at_us: int, call: Call) -> bool:
    return at_us >= call.now_us - _USUAL_DAYS * DAY_US


def _sorted(call: Call, name: str, rows: list[Any]) -> list[Any]:
    """Return rows, which come oldest first, in the order asked for."""
    sort = call.query.get("sort")
    if sort not in (None, name, f"-{name}"):
        raise Refused(RefusalKind.INVALID, f"sort takes {name} or -{name}.")
    return rows if sort == name else list(reversed(rows))
