"""The master records of one company of Business Central, and how its stock moves. Pure state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from harness.model.instants import to_text
from harness.model.ports import Randomness
from harness.model.values import JsonObject
from mocks import _dynamics365_reading as reading
from mocks._dynamics365_records import (
    Customer,
    Document,
    Item,
    Journal,
    Movement,
)
from mocks.kit.books import AccountBooks, BookKind

CURRENCIES: Mapping[str, str] = {
    "USD": "US Dollar",
    "EUR": "Euro",
    "GBP": "Pound Sterling",
    "CAD": "Canadian Dollar",
    "JPY": "Japanese Yen",
}


# Told of every change: (entity, record id, what happened, when).
Told = Callable[[str, str, str, int], None]


class Masters:
    """Everything one tenant's company remembers."""

    def __init__(
        self, books: AccountBooks, settings: Mapping[str, Any], chance: Randomness, told: Told
    ) -> None:
        """Open a company with one customer and one journal, as the settings say."""
        self.books = books
        self.settings = settings
        self.told = told
        self._chance = chance
        self._sequence = 0
        self._numbers: dict[str, int] = {}
        self.id = self.new_id()
        self.items: dict[str, Item] = {}  # by id, as are all that follow
        self.items_by_number: dict[str, Item] = {}
        self.customers: dict[str, Customer] = {}
        self.orders: dict[str, Document] = {}
        self.shipments: dict[str, Document] = {}
        self.invoices: dict[str, Document] = {}
        self.memos: dict[str, Document] = {}
        self.movements: list[Movement] = []
        self.journals: dict[str, Journal] = {}
        self.posted_orders: dict[str, str] = {}  # id to number
        self.balances: dict[str, Decimal] = {}  # by general ledger account
        self.rates = {
            str(code): Fraction(str(percent)) / 100
            for code, percent in (settings.get("tax_percent") or {}).items()
        }
        number = str(settings.get("customer", "C-110"))
        self.add_customer({"displayName": "Marketplace buyers"}, 0, number=number)
        code = str(settings.get("journal", "SETTLE"))
        journal = Journal(**self.key(0), code=code, name="Channel settlements")
        self.journals[journal.id] = journal

    # -- keys ------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Return a SystemId drawn from the seed."""
        text = f"{self._chance.randrange(0, 16**32):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def key(self, now_us: int) -> dict[str, Any]:
        """Return what every new record has: id, place in lists, instant."""
        self._sequence += 1
        return {"id": self.new_id(), "sequence": self._sequence, "modified_us": now_us}

    def next_number(self, series: str) -> str:
        """Return the next number of a series, such as SO-10001."""
        self._numbers[series] = self._numbers.get(series, 10_000) + 1
        return f"{series}-{self._numbers[series]}"

    # -- items and customers -----------------------------------------------------------------------

    def item(self, number: str, now_us: int) -> Item:
        """Return an item by its number; a new number becomes an item."""
        found = self.items_by_number.get(number)
        if found is None:
            found = Item(**self.key(now_us), number=number, name=number)
            self.items[found.id] = self.items_by_number[number] = found
            self.told("items", found.id, "created", now_us)
        return found

    def set_stock(self, sku: str, quantity: int, now_us: int) -> None:
        """Set what is available of a SKU, by a movement; a new SKU becomes an item."""
        item = self.item(sku, now_us)
        difference = Decimal(quantity) + item.demand - item.on_hand
        entry = "Positive Adjmt." if difference > 0 else "Negative Adjmt."
        self.move(item, difference, entry, "COUNT", now_us, to_text(now_us)[:10])
        self.books.enter(now_us, BookKind.STOCK_SET, sku, {"quantity": quantity})

    def available(self, sku: str) -> int | None:
        """Return on hand less open demand, never below zero."""
        item = self.items_by_number.get(sku)
        return None if item is None else max(0, int(item.on_hand - item.demand))

    def move(self, item: Item, quantity: Decimal, entry_type: str, document: str, now_us: int,
             posting_date: str) -> None:  # fmt: skip
        """Book a movement of stock; nothing moves by zero."""
        if not quantity:
            return
        item.on_hand += quantity
        item.touch(now_us)
        entry = Movement(
            **self.key(now_us),
            entry_number=len(self.movements) + 1,
            item_number=item.number,
            posting_date=posting_date,
            entry_type=entry_type,
            document_number=document,
            quantity=quantity,
        )
        self.movements.append(entry)
        self.told("items", item.id, "updated", now_us)

    def add_customer(self, body: JsonObject, now_us: int, *, number: str = "") -> Customer:
        """Create a customer; refuses a number already taken."""
        number = str(body.get("number") or number or self.next_number("C"))
        if any(customer.number == number for customer in self.customers.values()):
            msg = f"The customer {number} already exists."
            raise reading.invalid(msg, "Internal_EntityWithSameKeyExists")
        fields = {"type": "Company", **reading.customer_fields(body)}
        self.currency(fields.get("currencyCode"))
        customer = Customer(
            **self.key(now_us), number=number, name=str(body["displayName"]), fields=fields
        )
        self.customers[customer.id] = customer
        self.told("customers", customer.id, "created", now_us)
        return customer

    def find_customer(self, body: JsonObject) -> Customer | None:
        """Return the customer a body names by id or number; refuses one that does not exist."""
        wanted, number = body.get("customerId"), body.get("customerNumber")
        if wanted is None and number is None:
            return None
        for customer in self.customers.values():
            if wanted in (None, customer.id) and number in (None, customer.number):
                return customer
        msg = f"The customer cannot be found: {number or wanted!r}."
        raise reading.invalid(msg, "Internal_InvalidTableRelation")

    def currency(self, code: Any) -> str:
        """Return a currency the company knows; its own when none is named."""
        if code in (None, ""):
            return str(self.settings.get("currency", "USD"))
        if code not in CURRENCIES:
            msg = f"The currency cannot be found: {code!r}."
            raise reading.invalid(msg, "Internal_InvalidTableRelation")
        return str(code)

    def check_period(self, posting_date: str) -> None:
        """Refuse to post into a closed period."""
        closed = self.settings.get("closed_before")
        if closed is not None and posting_date < str(closed):
            msg = f"{posting_date} is not within your range of allowed posting dates."
            raise reading.invalid(msg)
