"""What the paperwork answers: settlement files, reports on request, the token's details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.instants import SECOND_US, to_text
from mocks._walmart_recon import Row, report_day, rows_of, zipped
from mocks._walmart_shop import Shop
from mocks.kit.books import BookKind, Books
from mocks.kit.calls import Answer, Call, RefusalKind, Refused
from mocks.kit.jobs import Job, JobDesk, JobState

_PAGE_ROWS_MAX = 2000
_LINK_SECONDS = 3600


def recon_days(shop: Shop, call: Call) -> Answer:
    """Return the days on which a settlement period closed."""
    _check_version(call)
    statements = shop.till.ledger.statements(call.now_us)
    days = list(dict.fromkeys(report_day(statement) for statement in statements))
    return Answer(200, {"availableApReportDates": days})


def _check_version(call: Call) -> None:
    if call.query.get("reportVersion", "v1") != "v1":
        msg = "the report of version v0 has other columns and is not imitated; ask for v1"
        raise Refused(RefusalKind.INVALID, msg, reason="parameter.wrong")


def _rows(shop: Shop, call: Call) -> list[Row]:
    _check_version(call)
    wanted = call.query["reportDate"]
    rows: list[Row] = []
    for statement in shop.till.ledger.statements(call.now_us):
        if report_day(statement) == wanted:
            rows += rows_of(statement, shop.till.rates.commission)
    if not rows:
        msg = f"no settlement period closed on {wanted}"
        raise Refused(RefusalKind.NOT_FOUND, msg)
    return rows


def recon_file(shop: Shop, call: Call) -> Answer:
    """Return the zipped table of one day."""
    day = call.query["reportDate"]
    content = zipped(_rows(shop, call), day)
    named = ("content-disposition", f'attachment; filename="recon_{day}.zip"')
    return Answer(200, headers=(("content-type", "application/zip"), named), content=content)


def recon_rows(shop: Shop, call: Call) -> Answer:
    """Return one page of the rows of one day."""
    rows = _rows(shop, call)
    number = int(call.query.get("pageNo", "1"))
    size = int(call.query.get("limit", str(_PAGE_ROWS_MAX)))
    page = rows[(number - 1) * size : number * size]
    return Answer(200, {"totalRecords": len(rows), "pageNo": number, "reportData": page})


def ask_report(desk: JobDesk, shop: Shop, call: Call) -> Answer:
    """Take a request for a report; each call makes one of its own."""
    facts = {"type": call.query["reportType"], "version": call.query["reportVersion"]}
    job = desk.start(
        call.account, lambda _job, _at: None, call.now_us, job_id=shop.new_id(), **facts
    )
    return Answer(200, report(desk, job))


def report(desk: JobDesk, job: Job) -> dict[str, Any]:
    """Return where a request stands."""
    shown = {
        "requestId": job.id,
        "requestStatus": desk.word(job),
        "requestSubmissionDate": to_text(job.accepted_us),
        "reportType": job.facts["type"],
        "reportVersion": job.facts["version"],
    }
    if job.state is JobState.DONE:
        shown["reportGenerationDate"] = to_text(job.ends_us)
    return shown


def reports(desk: JobDesk, call: Call) -> Answer:
    """Return the requests that are kept, the newest first."""
    shown = [report(desk, job) for job in reversed(desk.all(call.account, call.now_us))]
    for name in ("reportType", "requestStatus"):
        if name in call.query:
            shown = [row for row in shown if row[name] == call.query[name]]
    return Answer(200, {"page": 1, "totalCount": len(shown), "requests": shown})


def report_address(desk: JobDesk, call: Call) -> Answer:
    """Tell where a finished report lies; nobody serves that address here."""
    job = desk.find(call.query["requestId"], call.account, call.now_us)
    if job.state is not JobState.DONE:
        msg = f"the report is {desk.word(job)}; it can be fetched when it is READY"
        raise Refused(RefusalKind.NOT_FOUND, msg)
    until = to_text(call.now_us + _LINK_SECONDS * SECOND_US)
    url = f"https://files.example/{job.id}.zip"
    facts = {"requestId": job.id, "downloadURL": url, "downloadURLExpirationTime": until}
    return Answer(200, facts)


def token_detail(books: Books, rules: Mapping[str, Any], call: Call) -> Answer:
    """Tell about the token of this call, which is good or the call would not be here.

    Times are told only where the account has a single token that can be the one.
    """
    life_us = int(rules.get("token_seconds", 900)) * SECOND_US
    issued = [
        entry.at_us
        for entry in books.of(BookKind.TOKEN_ISSUED, account=call.account)
        if entry.at_us + life_us > call.now_us
    ]
    detail: dict[str, Any] = {
        "is_valid": True,
        "scopes": dict.fromkeys(
            ("orders", "inventory", "price", "feeds", "returns"), "full_access"
        ),
    }
    if len(issued) == 1:
        detail["issued_at"] = str(issued[0] // 1000)
        detail["expire_at"] = str((issued[0] + life_us) // 1000)
    return Answer(200, detail)
