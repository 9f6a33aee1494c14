"""The engine's memory: inbox, outbox, mapping, cursors, dead letters and the audit log.

SQL through SQLAlchemy Core, SQLite by default and any other database by URL. Every method works
inside the transaction it is handed; a phase of a workflow is one ``with store.begin() as tx``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, func, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.pool import StaticPool

from harness.model.masking import mask_json
from harness.model.values import Json, canonical_json
from harness.sync.tables import (
    AUDIT,
    CURSORS,
    DEAD_LETTERS,
    INBOX,
    MAPPING,
    METADATA,
    OUTBOX,
    STOCK,
)


def content_hash(value: Json) -> str:
    """Return the hash by which two payloads are the same."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Intent:
    """One outbox entry as it was read. ``revision`` tells whether it changed meanwhile."""

    kind: str
    target: str
    key: str
    revision: int
    payload: Json
    attempt: int
    state: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be processed, why, where, and who looks after it."""

    source: str
    key: str
    reason: str
    pointer: str
    message: str
    payload: Json
    owner: str
    window_us: int


class Store:
    """Opens the database and its tables."""

    def __init__(self, url: str) -> None:
        """Connect to ``url`` and create what is missing."""
        options: dict[str, Any] = {}
        if url.startswith("sqlite"):
            # One connection, no threads: transactions are short and never span an await.
            options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        self._engine = create_engine(url, **options)
        if url.startswith("sqlite"):
            event.listen(self._engine, "connect", _tune_sqlite)
        METADATA.create_all(self._engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Yield one transaction: committed at the end, rolled back on an error."""
        with self._engine.begin() as connection:
            yield Transaction(connection)


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # A crash of the process loses nothing in this mode; only a power cut may lose the last commit.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


class Transaction:
    """What one phase may do. Not kept beyond its ``with`` block."""

    def __init__(self, connection: Connection) -> None:
        """Work on an open connection."""
        self._connection = connection

    def _one(self, table: Table, **key: Any) -> RowMapping | None:
        where = [table.c[name] == value for name, value in key.items()]
        return self._connection.execute(select(table).where(*where)).mappings().first()

    def _save(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        where = [table.c[name] == value for name, value in key.items()]
        changed = self._connection.execute(update(table).where(*where).values(**values))
        if changed.rowcount == 0:
            self._connection.execute(insert(table).values(**key, **values))

    # Inbox

    def inbox(self, source: str, key: str) -> RowMapping | None:
        """Return what this source last told us about ``key``."""
        return self._one(INBOX, source=source, key=key)

    def keep(
        self, source: str, key: str, *, version_us: int, record: Json, state: str, now_us: int
    ) -> None:
        """Keep the newest record of ``key``."""
        values = {
            "version_us": version_us,
            "hash": content_hash(record),
            "record": canonical_json(record),
            "state": state,
            "seen_us": now_us,
        }
        self._save(INBOX, {"source": source, "key": key}, values)

    def inbox_counts(self) -> dict[str, int]:
        """Return the number of records by state."""
        query = select(INBOX.c.state, func.count()).group_by(INBOX.c.state)
        return dict(self._connection.execute(query))

    # Outbox

    def want(
        self,
        kind: str,
        target: str,
        key: str,
        payload: Json,
        now_us: int,
        *,
        same_as: Json = None,
        again: bool = False,
    ) -> bool:
        """Want ``target`` to know ``payload``; the newest wish replaces one not yet sent.

        Returns false when the same wish (the same ``same_as``, else the same payload) is under
        way or done; ``again`` wishes it once more although it is done.
        """
        row = self._one(OUTBOX, kind=kind, target=target, key=key)
        digest = content_hash(payload if same_as is None else same_as)
        if row is not None and row["hash"] == digest:
            if row["state"] in ("pending", "unknown"):
                return False
            if row["state"] == "done" and not again:
                return False
        # An unknown outcome stays unknown until it is looked up, whatever is wanted next.
        unknown = row is not None and row["state"] == "unknown"
        values = {
            "revision": 1 if row is None else row["revision"] + 1,
            "hash": digest,
            "payload": canonical_json(payload),
            "attempt": 0 if row is None else row["attempt"] if unknown else 0,
            "due_us": now_us,
            "state": "unknown" if unknown else "pending",
            "changed_us": now_us,
        }
        self._save(OUTBOX, {"kind": kind, "target": target, "key": key}, values)
        return True

    def due(self, target: str, now_us: int, limit: int) -> list[Intent]:
        """Return what should be sent to ``target`` now, oldest first."""
        query = (
            select(OUTBOX)
            .where(
                OUTBOX.c.target == target,
                OUTBOX.c.state.in_(("pending", "unknown")),
                OUTBOX.c.due_us <= now_us,
            )
            .order_by(OUTBOX.c.due_us, OUTBOX.c.kind, OUTBOX.c.key)
            .limit(limit)
        )
        return [_intent(row) for row in self._connection.execute(query).mappings()]

    def next_due_us(self, target: str) -> int | None:
        """Return when ``target`` next has something due, ``None`` for nothing."""
        query = select(func.min(OUTBOX.c.due_us)).where(
            OUTBOX.c.target == target, OUTBOX.c.state.in_(("pending", "unknown"))
        )
        found: int | None = self._connection.execute(query).scalar()
        return found

    def settle(self, intent: Intent, *, state: str, due_us: int, now_us: int) -> bool:
        """Write down how an attempt ended; false when a newer wish has replaced it meanwhile."""
        changed = self._connection.execute(
            update(OUTBOX)
            .where(
                OUTBOX.c.kind == intent.kind,
                OUTBOX.c.target == intent.target,
                OUTBOX.c.key == intent.key,
                OUTBOX.c.revision == intent.revision,
            )
            .values(state=state, attempt=intent.attempt + 1, due_us=due_us, changed_us=now_us)
        )
        return changed.rowcount == 1

    def sending(self, intent: Intent, now_us: int) -> None:
        """Write down, before it leaves, that the outcome of a write is not known yet."""
        self._connection.execute(
            update(OUTBOX)
            .where(
                OUTBOX.c.kind == intent.kind,
                OUTBOX.c.target == intent.target,
                OUTBOX.c.key == intent.key,
            )
            .values(state="unknown", changed_us=now_us)
        )

    def withdraw(self, kind: str, target: str, key: str, now_us: int) -> bool:
        """Take back a wish that surely had no effect; false when it may have had one.

        What is under way or ended unclearly is ``unknown``; ``pending`` never reached the other
        side or was refused there, however often it was tried.
        """
        changed = self._connection.execute(
            update(OUTBOX)
            .where(
                OUTBOX.c.kind == kind,
                OUTBOX.c.target == target,
                OUTBOX.c.key == key,
                OUTBOX.c.state == "pending",
            )
            .values(state="withdrawn", hash="", changed_us=now_us)
        )
        return changed.rowcount == 1

    def outbox_entry(self, kind: str, target: str, key: str) -> RowMapping | None:
        """Return one entry as it stands."""
        return self._one(OUTBOX, kind=kind, target=target, key=key)

    # Mapping

    def mapped(self, target: str, external_key: str) -> str | None:
        """Return the internal id ``target`` confirmed for a key."""
        row = self._one(MAPPING, target=target, external_key=external_key)
        return None if row is None else str(row["internal_id"])

    def map(self, target: str, external_key: str, internal_id: str, now_us: int) -> None:
        """Remember a confirmed internal id."""
        key = {"target": target, "external_key": external_key}
        self._save(MAPPING, key, {"internal_id": internal_id, "confirmed_us": now_us})

    # Cursors

    def cursor(self, name: str) -> int | None:
        """Return where the next window of ``name`` starts."""
        row = self._one(CURSORS, name=name)
        return None if row is None else int(row["at_us"])

    def move_cursor(self, name: str, at_us: int) -> None:
        """Move a cursor forward; it never goes back by itself."""
        known = self.cursor(name)
        self._save(
            CURSORS, {"name": name}, {"at_us": at_us if known is None else max(known, at_us)}
        )

    # Dead letters

    def bury(self, letter: DeadLetter, now_us: int) -> bool:
        """Keep a dead letter with its payload masked; true when it was not open before."""
        key = {"source": letter.source, "key": letter.key}
        row = self._one(DEAD_LETTERS, **key)
        is_open = row is not None and row["state"] == "open"
        values = {
            "reason": letter.reason,
            "pointer": letter.pointer,
            "message": letter.message,
            "payload": canonical_json(mask_json(letter.payload)),
            "owner": letter.owner,
            "window_us": min(letter.window_us, row["window_us"])
            if row and is_open
            else letter.window_us,
            "attempts": row["attempts"] + 1 if row and is_open else 1,
            "state": "open",
            "first_us": row["first_us"] if row else now_us,
            "last_us": now_us,
        }
        self._save(DEAD_LETTERS, key, values)
        return not is_open

    def resolve(self, source: str, key: str, now_us: int) -> bool:
        """Close the dead letter of a record that went through; false when there was none."""
        changed = self._connection.execute(
            update(DEAD_LETTERS)
            .where(
                DEAD_LETTERS.c.source == source,
                DEAD_LETTERS.c.key == key,
                DEAD_LETTERS.c.state == "open",
            )
            .values(state="resolved", last_us=now_us)
        )
        return changed.rowcount == 1

    def open_letters(self, source: str | None = None) -> Sequence[RowMapping]:
        """Return the open dead letters, oldest first."""
        query = select(DEAD_LETTERS).where(DEAD_LETTERS.c.state == "open")
        if source is not None:
            query = query.where(DEAD_LETTERS.c.source == source)
        order = (DEAD_LETTERS.c.first_us, DEAD_LETTERS.c.source, DEAD_LETTERS.c.key)
        return self._connection.execute(query.order_by(*order)).mappings().all()

    # Stock

    def stock(self, target: str, sku: str) -> RowMapping | None:
        """Return what one channel should show and what it was last told."""
        return self._one(STOCK, target=target, sku=sku)

    def all_stock(self, target: str) -> Sequence[RowMapping]:
        """Return every SKU of one channel, by name."""
        query = select(STOCK).where(STOCK.c.target == target).order_by(STOCK.c.sku)
        return self._connection.execute(query).mappings().all()

    def want_stock(self, target: str, sku: str, *, wanted: int, version_us: int) -> None:
        """Remember the quantity a channel should show."""
        key = {"target": target, "sku": sku}
        self._save(STOCK, key, {"wanted": wanted, "version_us": version_us})

    def published(self, target: str, sku: str, quantity: int | None, now_us: int | None) -> None:
        """Remember what a channel confirmed; ``None`` when that is no longer believed."""
        key = {"target": target, "sku": sku}
        where = [STOCK.c[name] == value for name, value in key.items()]
        self._connection.execute(
            update(STOCK).where(*where).values(published=quantity, published_us=now_us)
        )

    # Audit

    def audit(self, at_us: int, action: str, subject: str, **facts: Json) -> None:
        """Append to the log; each entry carries the hash of the one before."""
        last = self._connection.execute(
            select(AUDIT.c.number, AUDIT.c.chain).order_by(AUDIT.c.number.desc()).limit(1)
        ).first()
        number, chain = (last[0] + 1, last[1]) if last else (1, "")
        text = canonical_json(mask_json(facts))
        self._connection.execute(
            insert(AUDIT).values(
                number=number,
                at_us=at_us,
                action=action,
                subject=subject,
                facts=text,
                chain=_link(chain, number, at_us, action, subject, text),
            )
        )

    def audit_entries(self) -> Sequence[RowMapping]:
        """Return the whole log, oldest first."""
        return self._connection.execute(select(AUDIT).order_by(AUDIT.c.number)).mappings().all()

    def audit_broken_at(self) -> int | None:
        """Return the number of the first entry that was altered, ``None`` when all are intact."""
        chain = ""
        for expected, row in enumerate(self.audit_entries(), start=1):
            link = _link(
                chain, row["number"], row["at_us"], row["action"], row["subject"], row["facts"]
            )
            if row["number"] != expected or row["chain"] != link:
                return expected
            chain = link
        return None


def _intent(row: RowMapping) -> Intent:
    return Intent(
        row["kind"],
        row["target"],
        row["key"],
        row["revision"],
        json.loads(row["payload"]),
        row["attempt"],
        row["state"],
    )


def _link(chain: str, *parts: Json) -> str:
    return hashlib.sha256((chain + canonical_json(list(parts))).encode()).hexdigest()
