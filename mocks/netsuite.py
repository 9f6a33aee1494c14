"""The NetSuite REST services of companies: sales orders, fulfilment, stock, SuiteQL and jobs.

What is imitated, and what is not, stands in ``mocks/README.md``; everything the vendor leaves
open is a setting of ``behaviour.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from typing_extensions import override

from harness.model.exchange import Headers, HttpRequest
from harness.model.instants import from_text
from harness.model.ports import Credentials, SystemAccess
from mocks import _netsuite_shapes as shapes
from mocks._netsuite_company import Company, SalesOrder, whole
from mocks._netsuite_suiteql import BadQuery, run_query
from mocks.kit.accounts import Account, PerAccount
from mocks.kit.jobs import Job, JobFailed
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
    """Companies with one warehouse each. Implements the ``ErpSystem`` role for the back office."""

    system_name: ClassVar[str] = "netsuite"

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open companies without records."""
        super().__init__(setup)
        self.companies = PerAccount(self._open_company)
        seconds = int(self.settings.get("async_job_seconds", 2))
        self.jobs = self.manners.jobs.desk("jobs", working_seconds=seconds)
        self._secrets = PerAccount(self._draw_secrets)
        self.account = self.accounts.default.id

    def _open_company(self, account: str) -> Company:
        return Company(self.books.for_account(account), self.settings)

    def _draw_secrets(self, account: str) -> dict[str, str]:
        chance = self.stream("credentials", account)
        secrets = {"client_id": _hex(chance, 64), "certificate_id": _hex(chance, 32)}
        signing = self.stream("token_based", account)
        names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        return {**secrets, **{name: _hex(signing, 64) for name in names}}

    @property
    def company(self) -> Company:
        """Return the default company."""
        return self.companies[self.account]

    # What the kit asks

    @override
    def default_account(self) -> Account:
        """Return the company of the settings."""
        return Account(str(self.settings.get("account", _ACCOUNT)))

    @override
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        """Return a company's address and credentials; the same for the same seed."""
        company = self.accounts[account]
        base_url = self.doors.base_url(company, base_url) if account is not None else base_url
        authentication = self.setup.behaviour.get("authentication", {})
        path = authentication.get("token_path", "/services/rest/auth/oauth2/v1/token")
        return SystemAccess(
            name=self.system_name,
            role="erp",
            base_url=base_url,
            account=company.id,
            credentials=Credentials(dict(self._secrets[company.id])),
            parameters={
                "company_account": company.id,
                "token_url": base_url + path,
                **company.parameters,
            },
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

    def set_stock(
        self, sku: str, quantity: int, now_us: int, *, account: str | None = None
    ) -> None:
        """Set what is available of a SKU; a new SKU becomes an item."""
        self.jobs.settle(now_us)
        self.companies[self.accounts[account].id].set_stock(sku, quantity, now_us)

    def available(self, sku: str, *, account: str | None = None) -> int | None:
        """Return on hand less what open sales orders hold."""
        item = self.companies[self.accounts[account].id].items.get(sku)
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
        company = self.companies[call.account]
        read = company.read_body(call.body, external_id)
        existing = None if external_id is None else company.by_external.get(external_id)
        if existing is None:
            order = company.create(read, now_us, call.request_id)
        else:
            order = company.update(existing, read, now_us, call.request_id)
        return Answer(204, None, (("location", f"{shapes.RECORD}/salesOrder/{order.order_id}"),))

    def _fulfil(self, call: Call, now_us: int) -> Answer:
        order = self._order(call)
        body = call.body if isinstance(call.body, Mapping) else {}
        made = self.companies[call.account].fulfil(
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
        self.jobs.settle(call.now_us)
        return self._shown(call, self._order(call))

    @handles("getSalesOrderByExternalId")
    def get_sales_order_by_external_id(self, call: Call) -> Answer:
        """Read a sales order by its external id."""
        self.jobs.settle(call.now_us)
        external_id = call.path.get("externalId", "")
        order = self.companies[call.account].by_external.get(external_id)
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
        self.jobs.settle(call.now_us)
        since_us = _changed_since(call.query.get("q"))
        sees = self.manners.visibility.sees
        ids = [
            order.order_id
            for order in self.companies[call.account].orders.values()
            if order.modified_us >= since_us and sees(call, order.order_id, order.modified_us)
        ]
        page = self.manners.pager.open(call).page(ids)
        path = f"{shapes.RECORD}/salesOrder"
        items = [shapes.id_only(path, order_id) for order_id in page.items]
        return Answer(200, shapes.collection(path, items, page))

    # Items and queries

    @handles("getInventoryItem")
    def get_inventory_item(self, call: Call) -> Answer:
        """Read one item by its internal id."""
        self.jobs.settle(call.now_us)
        item_id = call.path.get("id", "")
        item = self.companies[call.account].item_by_id(item_id)
        if item is None:
            msg = f"The record instance does not exist: inventoryItem {item_id!r}."
            raise Refused(RefusalKind.NOT_FOUND, msg)
        shown = shapes.inventory_item(item)
        return Answer(200, shapes.only_fields(shown, call.query.get("fields")))

    @handles("runSuiteQL")
    def run_suiteql(self, call: Call) -> Answer:
        """Run a SELECT over items, stock and orders; values come back as text."""
        self.jobs.settle(call.now_us)
        if not _prefers(call, "transient"):
            msg = "The required request header 'Prefer' is missing: send Prefer: transient."
            raise Refused(RefusalKind.INVALID, msg)
        text = call.body.get("q") if isinstance(call.body, Mapping) else None
        if not isinstance(text, str):
            raise Refused(RefusalKind.INVALID, "The body must be an object with the query in q.")
        walk = self.manners.pager.open(call)
        rows_max = int(self.setup.behaviour.get("limits", {}).get("query_rows_max", 100_000))
        try:
            rows = run_query(self.companies[call.account], text, rows_max)
        except BadQuery as error:
            msg = f"Invalid search query. Detailed unprocessed description follows. {error}."
            code = self.company.code("bad_query_code")
            raise Refused(RefusalKind.INVALID, msg, code=code) from error
        page = walk.page(rows)
        items: list[dict[str, Any]] = [{"links": [], **row} for row in page.items]
        return Answer(200, shapes.collection(_SUITEQL, items, page))

    # Jobs

    @handles("getAsyncJob")
    def get_async_job(self, call: Call) -> Answer:
        """Say how far a job is."""
        self.jobs.settle(call.now_us)
        return Answer(200, shapes.job(self._job(call)))

    @handles("getAsyncJobResult")
    def get_async_job_result(self, call: Call) -> Answer:
        """Return what the request behind a finished job answered."""
        self.jobs.settle(call.now_us)
        job = self._job(call)
        if call.path.get("taskId", "1") != "1":
            raise Refused(RefusalKind.NOT_FOUND, f"Job {job.id} has the task 1 only.")
        if not job.ended:
            raise Refused(RefusalKind.NOT_FOUND, f"Job {job.id} has not finished.")
        answer: Answer = job.result
        return answer

    def _now_or_later(self, call: Call) -> Answer:
        self.jobs.settle(call.now_us)
        if not _prefers(call, "respond-async"):
            return self._do(call, call.now_us)
        job = self.jobs.start(call.account, self._work(call), call.now_us)
        return Answer(202, None, (("location", f"{shapes.JOB}/{job.id}"),))

    def _do(self, call: Call, now_us: int) -> Answer:
        if call.operation.operation_id == "fulfilSalesOrder":
            return self._fulfil(call, now_us)
        return self._write_order(call, now_us)

    def _work(self, call: Call) -> Callable[[Job, int], Answer]:
        """Return the work of a job: the request, answered when its time has come."""

        def work(_job: Job, now_us: int) -> Answer:
            try:
                return self._do(call, now_us)
            except Refused as refused:
                raise JobFailed(self.error_answer(refused, call.request_id)) from refused

        return work

    # Shared checks

    def _order(self, call: Call) -> SalesOrder:
        order_id = call.path.get("id", "")
        order = self.companies[call.account].orders.get(order_id)
        if order is None:
            msg = f"The record instance does not exist: salesOrder {order_id!r}."
            raise Refused(RefusalKind.NOT_FOUND, msg)
        return order

    def _job(self, call: Call) -> Job:
        return self.jobs.find(call.path.get("jobId", ""), call.account, call.now_us)


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
