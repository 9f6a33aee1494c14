"""SuiteQL over the company's records: read-only SELECTs, run by SQLite on a copy in memory.

SQLite's dialect is close to what a sync engine asks; it is not Oracle's. An authorizer lets
nothing but reading through, and a step limit ends a query that would run for ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from harness.model.instants import to_text
from mocks._netsuite_company import STATUS_NAMES, Company, SalesOrder, StockItem

_TABLES = """
CREATE TABLE item (id INTEGER PRIMARY KEY, itemid TEXT, externalid TEXT, itemtype TEXT,
  isinactive TEXT, createddate TEXT, lastmodifieddate TEXT,
  quantityonhand INTEGER, quantityavailable INTEGER);
CREATE TABLE inventorybalance (item INTEGER, sku TEXT, location INTEGER, quantityonhand INTEGER,
  quantityavailable INTEGER, quantitycommitted INTEGER, quantitybackordered INTEGER,
  lastmodifieddate TEXT, lastmodified TEXT);
CREATE TABLE "transaction" (id INTEGER PRIMARY KEY, tranid TEXT, externalid TEXT, type TEXT,
  recordtype TEXT, status TEXT, statusname TEXT, entity TEXT, currency TEXT, total TEXT,
  createddate TEXT, lastmodifieddate TEXT);
CREATE TABLE transactionline ("transaction" INTEGER, linesequencenumber INTEGER, item INTEGER,
  quantity INTEGER, rate TEXT, quantityshiprecv INTEGER);
"""
_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
_FUNCTIONS = frozenset(
    {
        *("abs", "avg", "coalesce", "count", "ifnull", "instr", "length", "like", "lower"),
        *("ltrim", "max", "min", "nullif", "nvl", "replace", "round", "rtrim", "substr"),
        *("sum", "to_char", "total", "trim", "upper"),
    }
)
_STEPS_BETWEEN_LOOKS = 10_000
_LOOKS_MAX = 500


class BadQuery(Exception):
    """The query cannot be run; the text says why."""


def run_query(company: Company, text: str, rows_max: int) -> list[dict[str, str | None]]:
    """Return the rows of a SELECT, values as text; raises ``BadQuery``."""
    connection = sqlite3.connect(":memory:")
    try:
        _fill(connection, company)
        connection.create_function("nvl", 2, _nvl, deterministic=True)
        connection.create_function("to_char", -1, _to_char, deterministic=True)
        connection.set_authorizer(_authorize)
        looks = 0

        def look() -> int:
            nonlocal looks
            looks += 1
            return int(looks > _LOOKS_MAX)

        connection.set_progress_handler(look, _STEPS_BETWEEN_LOOKS)
        cursor = connection.execute(text)
        if cursor.description is None:
            msg = "only SELECT is allowed"
            raise BadQuery(msg)
        names = [str(column[0]).lower() for column in cursor.description]
        return [_shown(names, row) for row in cursor.fetchmany(rows_max)]
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise BadQuery(str(error)) from error
    finally:
        connection.close()


def _fill(connection: sqlite3.Connection, company: Company) -> None:
    connection.executescript(_TABLES)
    items = list(company.items.values())
    orders = list(company.orders.values())
    _insert(connection, "item", 9, (_item_row(item) for item in items))
    _insert(connection, "inventorybalance", 9, (_balance_row(item) for item in items))
    _insert(connection, '"transaction"', 12, (_order_row(order) for order in orders))
    lines = (
        (int(o.order_id), n.number, int(n.item.item_id), n.quantity, n.unit_price, n.fulfilled)
        for o in orders
        for n in o.lines
    )
    _insert(connection, "transactionline", 6, lines)


def _insert(
    connection: sqlite3.Connection, table: str, width: int, rows: Iterable[tuple[Any, ...]]
) -> None:
    marks = ", ".join("?" * width)
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our names


def _item_row(item: StockItem) -> tuple[Any, ...]:
    return (
        int(item.item_id),
        item.sku,
        item.sku,
        "InvtPart",
        "F",
        to_text(item.created_us),
        to_text(item.modified_us),
        item.on_hand,
        item.available,
    )


def _balance_row(item: StockItem) -> tuple[Any, ...]:
    changed = to_text(item.modified_us)
    return (
        int(item.item_id),
        item.sku,
        1,
        item.on_hand,
        item.available,
        item.committed,
        item.back_ordered,
        changed,
        changed,
    )


def _order_row(order: SalesOrder) -> tuple[Any, ...]:
    return (
        int(order.order_id),
        order.number,
        order.external_id,
        "SalesOrd",
        "salesorder",
        order.status,
        STATUS_NAMES.get(order.status, order.status),
        str(order.entity.get("id", "")),
        order.currency,
        str(order.total),
        to_text(order.created_us),
        to_text(order.modified_us),
    )


def _authorize(
    action: int, first: str | None, second: str | None, _database: str | None, _cause: str | None
) -> int:
    if action in _READS:
        hidden = action == sqlite3.SQLITE_READ and str(first).startswith("sqlite_")
        return sqlite3.SQLITE_DENY if hidden else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and str(second).lower() in _FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _nvl(value: Any, instead: Any) -> Any:
    return instead if value is None else value


def _to_char(value: Any, *_format: Any) -> str | None:
    return None if value is None else str(value)


def _shown(names: list[str], row: tuple[Any, ...]) -> dict[str, str | None]:
    pairs = zip(names, row, strict=True)
    return {name: None if value is None else str(value) for name, value in pairs}
