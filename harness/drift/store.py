"""Remembers findings between scans: what is new, what is known, what went away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from harness.drift.stored import finding_from_json
from harness.drift.target import ScanResult
from harness.model.errors import OutsideWorld, UsageError
from harness.model.finding import Finding
from harness.model.instants import to_text
from harness.model.values import canonical_json

SCHEMA_VERSION = 1
OPEN, CLOSED = "open", "closed"
_SCOPE = ("system", "api", "environment", "region", "account")

_METADATA = sa.MetaData()
_VERSION = sa.Table(
    "driftgate_store",
    _METADATA,
    sa.Column("schema_version", sa.Integer, primary_key=True, autoincrement=False),
)
_SCANS = sa.Table(
    "driftgate_scans",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.String(200), nullable=False) for name in _SCOPE),
    sa.Column("contract_version", sa.String(200), nullable=False),
    sa.Column("started_us", sa.BigInteger, nullable=False),
    sa.Column("finished_us", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("operations_planned", sa.Integer, nullable=False),
    sa.Column("operations_checked", sa.Integer, nullable=False),
    sa.Column("samples", sa.Integer, nullable=False),
)
# Integers and short texts only, so that a server can take its place. Absent parts of the scope are
# empty texts, because a primary key takes no NULL.
_FINDINGS = sa.Table(
    "driftgate_findings",
    _METADATA,
    sa.Column("fingerprint", sa.String(12), primary_key=True),
    *(sa.Column(name, sa.String(200), primary_key=True) for name in _SCOPE),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("first_seen_us", sa.BigInteger, nullable=False),
    sa.Column("last_seen_us", sa.BigInteger, nullable=False),
    sa.Column("closed_us", sa.BigInteger),
    sa.Column("times_seen", sa.Integer, nullable=False),
    sa.Column("samples", sa.Integer, nullable=False),
    sa.Column("operation", sa.String(500), nullable=False),
    sa.Column("finding", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class RememberedFinding:
    """A finding with its history."""

    finding: Finding
    status: str
    times_seen: int
    samples: int


class FindingsStore:
    """Keeps findings in a database named by URL; SQLite is what is tested and shipped."""

    def __init__(self, url: str = "sqlite:///driftgate.db") -> None:
        """Open the store and create its tables when they are missing.

        Raises ``UsageError`` for a URL nobody can open or a store of a newer program, and
        ``OutsideWorld`` when the database does not answer.
        """
        self._shown = _without_password(url)
        try:
            self._engine = sa.create_engine(url)
            # A writing transaction: two first scans at once must not both create the tables.
            with self._engine.begin() as connection:
                _METADATA.create_all(connection)
                self._check_version(connection)
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
            msg = f"the store {self._shown} cannot be opened: {error}."
            raise UsageError(msg, remedy="Name it like sqlite:///driftgate.db.") from error
        except sa.exc.SQLAlchemyError as error:
            msg = f"the store {self._shown} cannot be opened: {_first_line(error)}."
            raise OutsideWorld(msg, remedy="Check that its folder or server is there.") from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def remember(self, result: ScanResult) -> tuple[Finding, ...]:
        """Write one scan down and return its findings with their first and last sighting.

        Findings of this account that the scan looked for and did not see again are closed; those
        of operations it could not check stay as they are.
        """
        scope = dict(zip(_SCOPE, result.target.scope, strict=True))
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_SCANS).values(**scope, **_scan_row(result)))
            remembered = tuple(
                self._upsert(connection, scope, f, result.finished_us) for f in result.findings
            )
            clean = {c.operation for c in result.coverage if c.checked}
            seen = {f.fingerprint for f in result.findings}
            for row in connection.execute(_open_in(scope)).all():
                if row.fingerprint not in seen and row.operation in clean:
                    connection.execute(
                        sa.update(_FINDINGS)
                        .where(_in_scope(scope), _FINDINGS.c.fingerprint == row.fingerprint)
                        .values(status=CLOSED, closed_us=result.finished_us)
                    )
        return remembered

    def open_findings(self, system: str | None = None) -> tuple[Finding, ...]:
        """Return what is open, of one system or of all, in a stable order."""
        return tuple(r.finding for r in self.history(system) if r.status == OPEN)

    def history(self, system: str | None = None) -> tuple[RememberedFinding, ...]:
        """Return all findings ever seen with their status, in a stable order."""
        query = sa.select(_FINDINGS).order_by(
            *(_FINDINGS.c[name] for name in (*_SCOPE, "first_seen_us", "fingerprint"))
        )
        if system is not None:
            query = query.where(_FINDINGS.c.system == system)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(
            RememberedFinding(
                finding=_dated(
                    finding_from_json(json.loads(row.finding)), row.first_seen_us, row.last_seen_us
                ),
                status=row.status,
                times_seen=row.times_seen,
                samples=row.samples,
            )
            for row in rows
        )

    def scans(self) -> tuple[Mapping[str, Any], ...]:
        """Return every scan written down, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_SCANS).order_by(_SCANS.c.id)).mappings().all()
        return tuple(dict(row) for row in rows)

    def _check_version(self, connection: sa.Connection) -> None:
        version = connection.execute(sa.select(_VERSION.c.schema_version)).scalar()
        if version is None:
            connection.execute(sa.insert(_VERSION).values(schema_version=SCHEMA_VERSION))
        elif version != SCHEMA_VERSION:
            msg = f"the store {self._shown} has layout {version}, this program {SCHEMA_VERSION}."
            raise UsageError(msg, remedy="Use the program that wrote it, or another store.")

    def _upsert(
        self, connection: sa.Connection, scope: dict[str, str], finding: Finding, now_us: int
    ) -> Finding:
        where = sa.and_(_in_scope(scope), _FINDINGS.c.fingerprint == finding.fingerprint)
        known = connection.execute(sa.select(_FINDINGS).where(where)).one_or_none()
        samples = finding.context.samples or 1
        if known is None:
            first, times = now_us, 1
        else:
            # A finding that came back is the same finding: its first sighting stands.
            first, times = known.first_seen_us, known.times_seen + 1
            samples += known.samples
        dated = _dated(finding, first, now_us)
        values = {
            "status": OPEN,
            "first_seen_us": first,
            "last_seen_us": now_us,
            "closed_us": None,
            "times_seen": times,
            "samples": samples,
            "operation": finding.operations[0] if finding.operations else "",
            "finding": canonical_json(dated.to_json()),
        }
        if known is None:
            row = {**scope, "fingerprint": finding.fingerprint, **values}
            connection.execute(sa.insert(_FINDINGS).values(**row))
        else:
            connection.execute(sa.update(_FINDINGS).where(where).values(**values))
        return dated


def _scan_row(result: ScanResult) -> dict[str, Any]:
    return {
        "contract_version": result.contract_version,
        "started_us": result.started_us,
        "finished_us": result.finished_us,
        "verdict": result.verdict.value,
        "operations_planned": len(result.coverage),
        "operations_checked": sum(c.checked for c in result.coverage),
        "samples": sum(c.sent for c in result.coverage),
    }


def _in_scope(scope: dict[str, str]) -> sa.ColumnElement[bool]:
    return sa.and_(*(_FINDINGS.c[name] == value for name, value in scope.items()))


def _open_in(scope: dict[str, str]) -> sa.Select[tuple[str, str]]:
    return sa.select(_FINDINGS.c.fingerprint, _FINDINGS.c.operation).where(
        _in_scope(scope), _FINDINGS.c.status == OPEN
    )


def _dated(finding: Finding, first_us: int, last_us: int) -> Finding:
    context = replace(finding.context, first_seen=to_text(first_us), last_seen=to_text(last_us))
    return replace(finding, context=context)


def _without_password(url: str) -> str:
    try:
        return sa.engine.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "(not a database URL)"


def _first_line(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0]
