"""The operations of Finance and Operations: orders, lines, what is on hand, batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.model.values import JsonObject
from mocks import _dynamics365_reading as reading
from mocks._dynamics365_connected import ConnectedCentral
from mocks._dynamics365_entities import LegalEntity
from mocks._dynamics365_lists import R
from mocks.kit.accounts import PerAccount
from mocks.kit.simulator import Answer, Call, SimulatorSetup, handles

_API = "finance_operations/v4"


class FinanceOperations(ConnectedCentral):
    """Tenants with one legal entity of Finance and Operations beside Business Central."""

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open legal entities without orders."""
        super().__init__(setup)
        self.entities = PerAccount(self._open_entity)
        limits = setup.behaviour.get("limits", {})
        self._entity_page_max = int(limits.get("entity_page_max", 10_000))

    def _open_entity(self, account: str) -> LegalEntity:
        settings = self.settings
        name = str(settings.get("data_area", "usmf"))
        return LegalEntity(self.companies[account], name, str(settings.get("warehouse", "11")))

    def _page(
        self,
        call: Call,
        schema: str,
        entity: str,
        rows: Iterable[R],
        show: Callable[[R], JsonObject],
    ) -> Answer:
        return self.lists.answer(
            call,
            schema,
            rows,
            show,
            context=f"/data/$metadata#{entity}",
            page_max=self._entity_page_max,
        )

    @handles("listSalesOrderHeaders", api=_API)
    def list_sales_order_headers(self, call: Call) -> Answer:
        """List sales orders."""
        entity, sees = self.entities[call.account], self.manners.visibility.sees
        rows = [h for h in entity.headers.values() if sees(call, h.id, h.modified_us)]
        return self._page(call, "SalesOrderHeader", "SalesOrderHeadersV2", rows, entity.show_header)

    @handles("createSalesOrderHeader", api=_API)
    def create_sales_order_header(self, call: Call) -> Answer:
        """Create a sales order."""
        entity = self.entities[call.account]
        made = entity.create(reading.as_object(call.body), call)
        return Answer(201, entity.show_header(made))

    @handles("getSalesOrderHeader", api=_API)
    def get_sales_order_header(self, call: Call) -> Answer:
        """Read a sales order by its whole key."""
        entity = self.entities[call.account]
        found = entity.find(call.path["dataAreaId"], call.path["salesOrderNumber"])
        return Answer(200, entity.show_header(found), (("etag", found.etag),))

    @handles("updateSalesOrderHeader", api=_API)
    def update_sales_order_header(self, call: Call) -> Answer:
        """Change a sales order; a tag that is sent must be the present one."""
        entity = self.entities[call.account]
        found = entity.find(call.path["dataAreaId"], call.path["salesOrderNumber"])
        self.manners.etags.guard(call, found.etag)
        entity.update(found, reading.as_object(call.body), call)
        return Answer(204)

    @handles("listSalesOrderLines", api=_API)
    def list_entity_order_lines(self, call: Call) -> Answer:
        """List lines of all sales orders, in the order in which they were added."""
        entity = self.entities[call.account]
        owners = {line.id: header for header in entity.headers.values() for line in header.lines}
        lines = [line for header in entity.headers.values() for line in header.lines]
        lines.sort(key=lambda line: line.sequence)
        return self._page(
            call,
            "SalesOrderLine",
            "SalesOrderLinesV2",
            lines,
            lambda line: entity.show_line(owners[line.id], line),
        )

    @handles("createSalesOrderLine", api=_API)
    def create_entity_order_line(self, call: Call) -> Answer:
        """Add a line to a sales order; a repeat adds a second one."""
        entity = self.entities[call.account]
        header, line = entity.add_line(reading.as_object(call.body), call)
        return Answer(201, entity.show_line(header, line))

    @handles("listWarehousesOnHand", api=_API)
    def list_warehouses_on_hand(self, call: Call) -> Answer:
        """List what is on hand, reserved and available."""
        entity = self.entities[call.account]
        rows = entity.company.items.values()
        return self._page(call, "WarehouseOnHand", "WarehousesOnHandV2", rows, entity.show_on_hand)

    @handles("batch", api=_API)
    def entity_batch(self, call: Call) -> Answer:
        """Answer the requests of a batch one by one."""
        return self.inner.run(call)
