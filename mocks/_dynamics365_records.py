"""What a company of Business Central keeps: items, customers, documents, and what they add up to.

Quantities and prices are exact decimals, amounts whole minor units: no sum is ever a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from harness.model.values import JsonObject
from mocks.kit.etags import etag_of
from mocks.kit.money import Money, exponent, rounded

ZERO = Decimal(0)
DRAFT, OPEN, PAID = "Draft", "Open", "Paid"


@dataclass(slots=True, kw_only=True)
class Record:
    """Anything with a SystemId. ``sequence`` is its place in lists, ``revision`` feeds its ETag.

    ``shown`` remembers how it looks in an API version until it changes.
    """

    id: str
    sequence: int
    modified_us: int
    revision: int = 0
    shown: dict[str, JsonObject] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """Return the tag of the present state."""
        return etag_of([self.id, self.revision])

    def touch(self, now_us: int) -> None:
        """Say that the record has changed."""
        self.modified_us = now_us
        self.revision += 1
        self.shown.clear()


@dataclass(slots=True, kw_only=True)
class Item(Record):
    """One item; ``demand`` is what open sales orders still want of it."""

    number: str
    name: str
    price: Decimal = ZERO
    gtin: str = ""
    blocked: bool = False
    on_hand: Decimal = ZERO
    demand: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class Customer(Record):
    """One customer; ``fields`` keeps address, e-mail and currency as v2.0 names them."""

    number: str
    name: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Movement(Record):
    """One item ledger entry."""

    entry_number: int
    item_number: str
    posting_date: str
    entry_type: str
    document_number: str
    quantity: Decimal


@dataclass(slots=True, kw_only=True)
class JournalLine(Record):
    """One line of the general journal, not posted yet."""

    line_number: int
    amount: Decimal
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Journal(Record):
    """One general journal and the lines that wait in it."""

    code: str
    name: str
    lines: list[JournalLine] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Line(Record):
    """One line of a document. Posted documents use ``quantity`` alone."""

    line_type: str
    item: Item | None
    object_number: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal = ZERO
    tax_code: str = ""
    location: str | None = None
    account_id: str | None = None
    ship: Decimal = ZERO
    shipped: Decimal = ZERO
    invoice: Decimal = ZERO
    invoiced: Decimal = ZERO

    @property
    def open_quantity(self) -> Decimal:
        """Return what is not shipped yet."""
        return self.quantity - self.shipped

    def net(self, currency: str, quantity: Decimal | None = None) -> int:
        """Return the amount of ``quantity`` (the whole line) before tax, in minor units."""
        count = self.quantity if quantity is None else quantity
        amount = count * self.unit_price * (100 - self.discount_percent) / 100
        scaled = amount.scaleb(exponent(currency))
        return int(scaled.to_integral_value(rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's amounts in minor units: ``net`` is after the document's discount."""

    net: int
    tax: int

    @property
    def gross(self) -> int:
        """Return net and tax together."""
        return self.net + self.tax


@dataclass(slots=True, kw_only=True)
class Document(Record):
    """A sales order, shipment, invoice or credit memo.

    ``discount`` is the document's own discount in minor units, ``discount_posted`` the part of it
    that invoices have taken. ``remaining`` is what is still owed of a posted invoice.
    """

    number: str
    external: str = ""
    date: str
    posting_date: str
    customer: Customer | None
    currency: str
    status: str = DRAFT
    discount: int = 0
    discount_posted: int = 0
    lines: list[Line] = field(default_factory=list)
    ship_to: dict[str, str] = field(default_factory=dict)
    order_id: str = ""
    order_number: str = ""
    invoice_id: str = ""
    remaining: int = 0
    paid_us: int | None = None

    @property
    def book_key(self) -> str:
        """Return the key under which the books know this document."""
        return self.external or self.number

    def totals(self, rates: Mapping[str, Fraction]) -> Totals:
        """Return what the document adds up to; tax is rounded once for each tax code."""
        return totals(
            [(line.net(self.currency), line.tax_code) for line in self.lines],
            self.discount,
            self.currency,
            rates,
        )


def totals(
    nets: list[tuple[int, str]], discount: int, currency: str, rates: Mapping[str, Fraction]
) -> Totals:
    """Add lines up; the discount falls on them by their amounts, without a rest."""
    shares = [0] * len(nets)
    if discount and sum(net for net, _ in nets) > 0:
        weights = [max(0, net) for net, _ in nets]
        shares = [part.minor for part in Money(currency, discount).split(weights)]
    by_code: dict[str, int] = {}
    for (net, code), share in zip(nets, shares, strict=True):
        by_code[code] = by_code.get(code, 0) + net - share
    tax = sum(rounded(rates.get(code, Fraction(0)) * net) for code, net in by_code.items())
    return Totals(sum(by_code.values()), tax)
