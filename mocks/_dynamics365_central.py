"""The operations of Business Central, in both versions of its API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.model.values import JsonObject
from mocks import _dynamics365_posting as posting
from mocks import _dynamics365_reading as reading
from mocks import _dynamics365_shapes as shapes
from mocks._dynamics365_batch import InnerCalls
from mocks._dynamics365_changes import Changes
from mocks._dynamics365_company import Company
from mocks._dynamics365_lists import Lists, R, as_shown
from mocks._dynamics365_odata import expanded
from mocks._dynamics365_records import Document, Item, Line
from mocks.kit.accounts import PerAccount
from mocks.kit.books import BookKind
from mocks.kit.simulator import (
    Answer,
    Call,
    RefusalKind,
    Refused,
    Simulator,
    SimulatorSetup,
    handles,
)

_ORDER_PARTS = ("salesOrderLines", "currency")
_MILLISECOND_US = 1000


class BusinessCentral(Simulator):
    """Tenants with one company each, behind the API v2.0 and the older v1.0."""

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open companies with one customer, one journal and no goods."""
        super().__init__(setup)
        self.companies = PerAccount(self._open_company)
        self.lists = Lists(setup.contracts, self.manners.pager)
        self.inner = InnerCalls(self)
        limits = setup.behaviour.get("limits", {})
        delay_ms = setup.behaviour.get("events", {}).get("delay_ms", 0)
        self.changes = Changes(
            self.manners.events,
            lambda account: self.companies[account].id,
            join_us=int(delay_ms) * _MILLISECOND_US,
            collection_min=int(limits.get("notification_collection_min", 1000)),
        )
        self._page_max = int(limits.get("page_entities_max", 20_000))

    def _open_company(self, account: str) -> Company:
        def told(entity: str, record: str, what: str, now_us: int) -> None:
            self.changes.told(account, entity, record, what, now_us)

        books = self.books.for_account(account)
        return Company(books, self.settings, self.stream("ids", account), told)

    # -- finding -----------------------------------------------------------------------------------

    def _tenant(self, call: Call) -> Company:
        """Return the caller's company; raises ``Refused`` for an environment it has not."""
        environment = call.path.get("environment", "")
        if environment.lower() != str(self.settings.get("environment", "production")).lower():
            msg = f"The environment {environment!r} does not exist."
            raise Refused(RefusalKind.NOT_FOUND, msg, code="Internal_TenantNotFound")
        return self.companies[call.account]

    def _company(self, call: Call) -> Company:
        company = self._tenant(call)
        if call.path.get("companyId", "").lower() != company.id:
            msg = "The company does not exist."
            raise Refused(RefusalKind.NOT_FOUND, msg, code="Internal_CompanyNotFound")
        return company

    def _order(self, call: Call) -> Document:
        company, key = self._company(call), call.path["id"].lower()
        found = company.orders.get(key)
        if found is not None:
            return found
        posted = company.posted_orders.get(key)
        again = call.operation.operation_id == "shipAndInvoiceSalesOrder"
        if posted is not None and again and self.settings.get("post_repeat") == "refuse":
            msg = f"The sales order {posted} is already posted."
            raise reading.invalid(msg)
        msg = "sales order"
        raise reading.missing(msg, key)

    def _find(self, records: Mapping[str, R], what: str, call: Call) -> R:
        found = records.get(call.path["id"].lower())
        if found is None:
            raise reading.missing(what, call.path["id"])
        return found

    def _list(
        self,
        call: Call,
        schema: str,
        entity: str,
        rows: Iterable[R],
        show: Callable[[R], JsonObject],
        finish: Callable[[R, JsonObject], JsonObject] = as_shown,
    ) -> Answer:
        path, version = call.path, call.version
        owner = f"companies({path['companyId']})/" if "companyId" in path else ""
        return self.lists.answer(
            call,
            schema,
            rows,
            show,
            context=f"/v2.0/{path['environment']}/api/{version}/$metadata#{owner}{entity}",
            page_max=self._page_max,
            finish=finish,
        )

    def _with_lines(
        self, call: Call, name: str, show: Callable[[Line, Document], JsonObject] = shapes.line
    ) -> Callable[[Document, JsonObject], JsonObject]:
        """Return what adds the lines, where the first page of the list was asked to expand them."""
        known = _ORDER_PARTS if name == "salesOrderLines" else (name,)
        walk = self.manners.pager.open(call)
        parts = expanded(walk.value("$expand"), known)

        def finish(document: Document, shown: JsonObject) -> JsonObject:
            if not parts:
                return shown
            more: dict[str, Any] = dict(shown)
            if "currency" in parts:
                more["currency"] = shapes.currency(document, call.version)
            if name in parts:
                more[name] = [show(line, document) for line in document.lines]
            return more

        return finish

    # -- masters -----------------------------------------------------------------------------------

    @handles("listCompanies")
    def list_companies(self, call: Call) -> Answer:
        """List the one company of the tenant."""
        company = self._tenant(call)
        name = str(self.settings.get("company", "RETAIL"))
        shown: dict[str, Any] = {"id": company.id, "name": name, "displayName": name.title()}
        return self._list(call, "Company", "companies", [_First()], lambda _: shown)

    @handles("listCustomers")
    def list_customers(self, call: Call) -> Answer:
        """List customers."""
        company = self._company(call)
        return self._list(
            call,
            "Customer",
            "customers",
            company.customers.values(),
            lambda one: shapes.customer(one, call.version),
        )

    @handles("createCustomer")
    def create_customer(self, call: Call) -> Answer:
        """Create a customer; a repeat without a number creates a second one."""
        company = self._company(call)
        made = company.add_customer(reading.as_object(call.body), call.now_us)
        return Answer(201, shapes.customer(made, call.version))

    # -- stock -------------------------------------------------------------------------------------

    @handles("listItems")
    def list_items(self, call: Call) -> Answer:
        """List items with what is on hand."""
        company, sees = self._company(call), self.manners.visibility.sees
        rows = [one for one in company.items.values() if sees(call, one.id, one.modified_us)]
        return self._list(call, "Item", "items", rows, lambda one: shapes.item(one, call.version))

    @handles("getItem")
    def get_item(self, call: Call) -> Answer:
        """Read an item."""
        found: Item = self._find(self._company(call).items, "item", call)
        expanded(call.query.get("$expand"), ())
        return self.lists.one(call, "Item", shapes.item(found, call.version))

    @handles("updateItem")
    def update_item(self, call: Call) -> Answer:
        """Change an item; a new price is booked, stock cannot be written."""
        company, body = self._company(call), reading.as_object(call.body)
        found: Item = self._find(company.items, "item", call)
        self.manners.etags.guard(call, found.etag)
        price = reading.number(body, "unitPrice", found.price)
        found.name = str(body.get("displayName", found.name))
        found.gtin = str(body.get("gtin", found.gtin))
        found.blocked = bool(body.get("blocked", found.blocked))
        found.price = price
        found.touch(call.now_us)
        if "unitPrice" in body:
            company.books.enter(
                call.now_us,
                BookKind.PRICE_PUBLISHED,
                found.number,
                {"amount": str(price), "currency": company.currency(None)},
                request_id=call.request_id,
            )
        company.told("items", found.id, "updated", call.now_us)
        return self.lists.one(call, "Item", shapes.item(found, call.version))

    @handles("listItemLedgerEntries")
    def list_item_ledger_entries(self, call: Call) -> Answer:
        """List movements of stock."""
        rows = self._company(call).movements
        return self._list(call, "ItemLedgerEntry", "itemLedgerEntries", rows, shapes.movement)

    # -- sales orders ------------------------------------------------------------------------------

    def _shown(self, call: Call, order: Document, *, status: int = 200) -> Answer:
        company = self.companies[call.account]
        answer = self.lists.one(
            call, "SalesOrder", shapes.order(order, call.version, company), status=status
        )
        if "$expand" in call.query:
            body = self._with_lines(call, "salesOrderLines")(order, reading.as_object(answer.body))
            return Answer(answer.status, body, answer.headers)
        return answer

    @handles("listSalesOrders")
    def list_sales_orders(self, call: Call) -> Answer:
        """List sales orders that are not posted yet."""
        company, sees = self._company(call), self.manners.visibility.sees
        rows = [one for one in company.orders.values() if sees(call, one.id, one.modified_us)]
        return self._list(
            call,
            "SalesOrder",
            "salesOrders",
            rows,
            lambda order: shapes.order(order, call.version, company),
            self._with_lines(call, "salesOrderLines"),
        )

    @handles("createSalesOrder")
    def create_sales_order(self, call: Call) -> Answer:
        """Create a sales order; the same body twice makes two."""
        made = self._company(call).create_order(reading.as_object(call.body), call)
        return self._shown(call, made, status=201)

    @handles("getSalesOrder")
    def get_sales_order(self, call: Call) -> Answer:
        """Read a sales order."""
        return self._shown(call, self._order(call))

    @handles("updateSalesOrder")
    def update_sales_order(self, call: Call) -> Answer:
        """Change the header of a sales order."""
        order = self._order(call)
        self.manners.etags.guard(call, order.etag)
        body = reading.as_object(call.body)
        return self._shown(call, self.companies[call.account].update_order(order, body, call))

    @handles("deleteSalesOrder")
    def delete_sales_order(self, call: Call) -> Answer:
        """Delete a sales order."""
        order = self._order(call)
        self.manners.etags.guard(call, order.etag)
        self.companies[call.account].delete_order(order, call)
        return Answer(204)

    @handles("shipAndInvoiceSalesOrder")
    def ship_and_invoice(self, call: Call) -> Answer:
        """Post what is set to ship and to invoice."""
        order = self._order(call)
        posting.ship_and_invoice(self.companies[call.account], order, call)
        return Answer(204)

    @handles("listSalesOrderLines")
    def list_sales_order_lines(self, call: Call) -> Answer:
        """List the lines of a sales order."""
        order = self._order(call)
        return self._list(
            call,
            "SalesOrderLine",
            f"salesOrders({order.id})/salesOrderLines",
            sorted(order.lines, key=lambda line: line.sequence),
            lambda line: shapes.line(line, order),
        )

    @handles("createSalesOrderLine")
    def create_sales_order_line(self, call: Call) -> Answer:
        """Add a line to a sales order; a repeat adds a second one."""
        order = self._order(call)
        body = reading.as_object(call.body)
        made = self.companies[call.account].add_line(order, body, call)
        return Answer(201, shapes.line(made, order))

    @handles("updateSalesOrderLine")
    def update_sales_order_line(self, call: Call) -> Answer:
        """Change a line, for instance what is to be shipped."""
        company, key = self._company(call), call.path["id"].lower()
        for order in company.orders.values():
            for line in order.lines:
                if line.id == key:
                    self.manners.etags.guard(call, line.etag)
                    body = reading.as_object(call.body)
                    company.update_line(order, line, body, call)
                    return self.lists.one(call, "SalesOrderLine", shapes.line(line, order))
        msg = "sales order line"
        raise reading.missing(msg, key)


class _First:
    """The place of the only row of a list."""

    sequence = 0
