"""The NetSuite REST services of one company: sales orders, fulfilment, stock, SuiteQL and jobs.

What is imitated, and what is not, stands in ``mocks/README.md``; everything the vendor leaves
open is a setting of ``behaviour.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from harness.model.exchange import Headers, HttpRequest
from harness.model.instants import SECOND_US, from_text
from harness.model.ports import Credentials, SystemAccess
from mocks import _netsuite_shapes as shapes
from mocks._netsuite_company import Company, SalesOrder, whole
from mocks._netsuite_jobs import Job, JobDesk
from mocks._netsuite_suiteql import BadQuery, run_query
from mocks.kit.simulator import (
    Answer,
    Call,
    RefusalKind,
    Refused,
    Simulator,
    SimulatorSetup,
    handles,
)

_ACCOUNT = "TSTDRV1000001"
_SUITEQL = "/services/rest/query/v1/suiteql"
_FILTER = re.compile(r'lastModifiedDate (AFTER|ON_OR_AFTER) "([^"]+)"')


class NetSuite(Simulator):
    """One company with one warehouse. Implements the ``ErpSystem`` role for the back office."""

    system_name: ClassVar[str] = "netsuite"

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open a company without records."""
        super().__init__(setup)
        self.company = Company(setup.books, self.settings)
        self.jobs = JobDesk(setup.streams.stream(f"{self.system_name}/jobs"))
        secrets = setup.streams.stream(f"{self.system_name}/credentials")
        self._secrets = {
            "client_id": _hex(secrets, 64),
            "certificate_id": _hex(secrets, 32),
        }
        self.account: str = self.settings.get("account", _ACCOUNT)

    # What the kit asks

    @override
    def access(self, base_url: str) -> SystemAccess:
        """Return the company's address and credentials; the same for the same seed."""
        authentication = self.setup.behaviour.get("authentication", {})
        path = authentication.get("token_path", "/services/rest/auth/oauth2/v1/token")
        return SystemAccess(
            name=self.system_name,
            role="erp",
            base_url=base_url,
            account=self.account,
            credentials=Credentials(dict(self._secrets)),
            parameters={"company_account": self.account, "token_url": base_url + path},
        )

    @override
    def example(self, now_us: int) -> HttpRequest:
        """Return the query an engine polls stock with."""
        text = "SELECT itemid, quantityavailable, lastmodifieddate FROM item ORDER BY id"
        prefer = (("prefer", "transient"),)
        return HttpRequest.with_json("POST", _SUITEQL, {"q": text}, headers=prefer)

    @override
    def answer_headers(self, call_id: str) -> Headers:
        """Return the request id, which every answer carries."""
        return (("x-n-operationid", call_id),)

    @override
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return NetSuite's problem object with its ``o:errorDetails``."""
        code = self.settings.get("throttled_error_code", "SSS_REQUEST_LIMIT_EXCEEDED")
        return shapes.error(refused, str(code))

    # What the back office does (the ErpSystem role)

    def set_stock(self, sku: str, quantity: int, now_us: int) -> None:
        """Set what is available of a SKU; a new SKU becomes an item."""
        self._settle(now_us)
        self.company.set_stock(sku, quantity, now_us)

    def available(self, sku: str) -> int | None:
        """Return on hand less what open sales orders hold."""
        item = self.company.items.get(sku)
        return None if item is None else item.available

    # Sales orders

    @handles("createSalesOrder")
    def create_sales_order(self, call: Call) -> Answer:
        """Create a sales order; the same body twice makes two, unless ``externalId`` forbids it."""
        return self._now_or_later(call)

    @handles("upsertSalesOrder")
    def upsert_sales_order(self, call: Call) -> Answer:
        """Create the sales order of this external id, or set it to the body."""
        return self._now_or_later(call)

    @handles("fulfilSalesOrder")
    def fulfil_sales_order(self, call: Call) -> Answer:
        """Ship the lines the body names, or all that is left; a repeat ships what is left."""
        return self._now_or_later(call)

    def _write_order(self, call: Call, now_us: int) -> Answer:
        external_id = call.path.get("externalId")
        read = self.company.read_body(call.body, external_id)
        existing = None if external_id is None else self.company.by_external.get(external_id)
        if existing is None:
            order = self.company.create(read, now_us, call.request_id)
        else:
            order = self.company.update(existing, read, now_us, call.request_id)
        return Answer(204, None, (("location", f"{shapes.RECORD}/salesOrder/{order.order_id}"),))

    def _fulfil(self, call: Call, now_us: int) -> Answer:
        order = self._order(call)
        body = call.body if isinstance(call.body, Mapping) else {}
        made = self.company.fulfil(
            order,
            _wanted_lines(body, order),
            now_us,
            call.request_id,
            external_id=body.get("externalId"),
        )
        return Answer(204, None, (("location", f"{shapes.RECORD}/itemFulfillment/{made}"),))

    @handles("getSalesOrder")
    def get_sales_order(self, call: Call) -> Answer:
        """Read a sales order by its internal id."""
        self._settle(call.now_us)
        return self._shown(call, self._order(call))

    @handles("getSalesOrderByExternalId")
    def get_sales_order_by_external_id(self, call: Call) -> Answer:
        """Read a sales order by its external id."""
        self._settle(call.now_us)
        external_id = call.path.get("externalId", "")
        order = self.company.by_external.get(external_id)
        if order is None:
            msg = f"The record instance does not exist: externalId {external_id!r}."
            raise Refused(RefusalKind.NOT_FOUND, msg)
        return self._shown(call, order)

    def _shown(self, call: Call, order: SalesOrder) -> Answer:
        expand = call.query.get("expandSubResources", "false").lower() == "true"
        shown = shapes.sales_order(order, expand=expand)
        return Answer(200, shapes.only_fields(shown, call.query.get("fields")))

    @handles("listSalesOrders")
    def list_sales_orders(self, call: Call) -> Answer:
        """List ids of sales orders, oldest first."""
        self._settle(call.now_us)
        since_us = _changed_since(call.query.get("q"))
        ids = [n.order_id for n in self.company.orders.values() if n.modified_us >= since_us]
        limit, offset = self._window(call)
        path = f"{shapes.RECORD}/salesOrder"
        items = [shapes.id_only(path, order_id) for order_id in ids[offset : offset + limit]]
        return Answer(200, shapes.collection(path, items, limit, offset, len(ids)))

    # Items and queries

    @handles("getInventoryItem")
    def get_inventory_item(self, call: Call) -> Answer:
        """Read one item by its internal id."""
        self._settle(call.now_us)
        item_id = call.path.get("id", "")
        item = self.company.item_by_id(item_id)
        if item is None:
            msg = f"The record instance does not exist: inventoryItem {item_id!r}."
            raise Refused(RefusalKind.NOT_FOUND, msg)
        shown = shapes.inventory_item(item)
        return Answer(200, shapes.only_fields(shown, call.query.get("fields")))

    @handles("runSuiteQL")
    def run_suiteql(self, call: Call) -> Answer:
        """Run a SELECT over items, stock and orders; values come back as text."""
        self._settle(call.now_us)
        if not _prefers(call, "transient"):
            msg = "The required request header 'Prefer' is missing: send Prefer: transient."
            raise Refused(RefusalKind.INVALID, msg)
        text = call.body.get("q") if isinstance(call.body, Mapping) else None
        if not isinstance(text, str):
            raise Refused(RefusalKind.INVALID, "The body must be an object with the query in q.")
        limit, offset = self._window(call)
        rows_max = int(self.setup.behaviour.get("limits", {}).get("query_rows_max", 100_000))
        try:
            rows = run_query(self.company, text, rows_max)
        except BadQuery as error:
            msg = f"Invalid search query. Detailed unprocessed description follows. {error}."
            code = self.company.code("bad_query_code")
            raise Refused(RefusalKind.INVALID, msg, code=code) from error
        items: list[dict[str, Any]] = [
            {"links": [], **row} for row in rows[offset : offset + limit]
        ]
        return Answer(200, shapes.collection(_SUITEQL, items, limit, offset, len(rows)))

    # Jobs

    @handles("getAsyncJob")
    def get_async_job(self, call: Call) -> Answer:
        """Say how far a job is."""
        self._settle(call.now_us)
        return Answer(200, shapes.job(self._job(call)))

    @handles("getAsyncJobResult")
    def get_async_job_result(self, call: Call) -> Answer:
        """Return what the request behind a finished job answered."""
        self._settle(call.now_us)
        job = self._job(call)
        if call.path.get("taskId", "1") != "1":
            raise Refused(RefusalKind.NOT_FOUND, f"Job {job.job_id} has the task 1 only.")
        if job.answer is None:
            raise Refused(RefusalKind.NOT_FOUND, f"Job {job.job_id} has not finished.")
        return job.answer

    def _now_or_later(self, call: Call) -> Answer:
        self._settle(call.now_us)
        return self._queue(call) if _prefers(call, "respond-async") else self._do(call, call.now_us)

    def _do(self, call: Call, now_us: int) -> Answer:
        if call.operation.operation_id == "fulfilSalesOrder":
            return self._fulfil(call, now_us)
        return self._write_order(call, now_us)

    def _queue(self, call: Call) -> Answer:
        key = call.request.header(shapes.IDEMPOTENCY_HEADER)
        life_us = int(self.settings.get("idempotency_key_seconds", 86_400)) * SECOND_US
        first = self.jobs.find(call.account, key, call.now_us - life_us)
        if first is not None:
            location = (("location", f"{shapes.JOB}/{first.job_id}"),)
            msg = "A job with this idempotency key exists; Location names it."
            raise Refused(RefusalKind.INVALID, msg, code=shapes.IDEMPOTENCY_ERROR, headers=location)
        due_us = call.now_us + int(self.settings.get("async_job_seconds", 2)) * SECOND_US
        job = Job(self.jobs.new_id(), due_us, call.now_us, key, call)
        self.jobs.add(job)
        return Answer(202, None, (("location", f"{shapes.JOB}/{job.job_id}"),))

    def _settle(self, now_us: int) -> None:
        """Do the work of every job whose time has come, before anything else happens."""
        for job in self.jobs.due(now_us):
            try:
                job.answer = self._do(job.call, job.due_us)
            except Refused as refused:
                job.answer = self.error_answer(refused, job.call.request_id)

    # Shared checks

    def _order(self, call: Call) -> SalesOrder:
        order_id = call.path.get("id", "")
        order = self.company.orders.get(order_id)
        if order is None:
            msg = f"The record instance does not exist: salesOrder {order_id!r}."
            raise Refused(RefusalKind.NOT_FOUND, msg)
        return order

    def _window(self, call: Call) -> tuple[int, int]:
        limit = _number(call.query.get("limit", "1000"), "limit")
        offset = _number(call.query.get("offset", "0"), "offset")
        if not 1 <= limit <= 1000:
            raise Refused(RefusalKind.INVALID, "limit must lie between 1 and 1000.")
        if offset % limit and self.settings.get("offset_multiple_of_limit", True):
            raise Refused(RefusalKind.INVALID, f"offset must be a multiple of limit ({limit}).")
        pages_max = int(self.setup.behaviour.get("limits", {}).get("pages_max", 1000))
        if offset // limit >= pages_max:
            raise Refused(RefusalKind.INVALID, f"A list has at most {pages_max} pages.")
        return limit, offset

    def _job(self, call: Call) -> Job:
        job_id = call.path.get("jobId", "")
        job = self.jobs.by_id.get(job_id)
        if job is None:
            raise Refused(RefusalKind.NOT_FOUND, f"There is no job {job_id!r}.")
        return job


def _prefers(call: Call, wish: str) -> bool:
    wishes = (call.request.header("prefer") or "").split(",")
    return wish in [text.strip().lower() for text in wishes]


def _changed_since(condition: str | None) -> int:
    if condition is None:
        return 0
    found = _FILTER.fullmatch(condition.strip())
    try:
        if found is not None:
            return from_text(found[2]) + (1 if found[1] == "AFTER" else 0)
    except ValueError:
        pass
    msg = 'The simulator imitates q=lastModifiedDate AFTER "2026-11-20T09:00:00Z" only.'
    raise Refused(RefusalKind.INVALID, msg)


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refused(RefusalKind.INVALID, f"{name} must be a whole number, zero or more.")
    return int(text)


def _wanted_lines(body: Mapping[str, Any], order: SalesOrder) -> dict[int, int] | None:
    """Return quantity by line number, ``None`` when the body names no lines: ship all."""
    sublist = body.get("item")
    entries = sublist.get("items") if isinstance(sublist, Mapping) else None
    if not entries:
        return None
    wanted: dict[int, int] = {}
    by_number = {line.number: line for line in order.lines}
    for entry in entries:
        number = whole(entry.get("orderLine"), "orderLine")
        if entry.get("itemReceive") is False:
            continue
        if number not in by_number:
            raise Refused(RefusalKind.INVALID, f"{order.number} has no line {number}.")
        quantity = entry.get("quantity", by_number[number].open_quantity)
        wanted[number] = wanted.get(number, 0) + whole(quantity, "quantity")
    return wanted


def _hex(chance: Any, length: int) -> str:
    return "".join(f"{chance.randrange(0, 16):x}" for _ in range(length))
