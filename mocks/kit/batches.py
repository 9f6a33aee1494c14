"""Requests with many rows, of which some may succeed and others not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.model.values import Json, JsonObject
from mocks.kit.calls import Call, RefusalKind, Refused

RowAnswer = tuple[int, Json]


@dataclass(frozen=True, slots=True)
class BatchRule:
    """``rows_max`` rows a call; ``all_or_nothing`` undoes nothing: it checks before it does."""

    rows_max: int
    status: int = 200
    partial_status: int = 200
    all_or_nothing: bool = False


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The status of the whole and what each row got, in the order sent."""

    status: int
    rows: tuple[RowAnswer, ...]
    failed: int


class Batches:
    """The batch rules of one system."""

    def __init__(self, behaviour: JsonObject) -> None:
        """Read ``batches``."""
        self._rules: dict[str, BatchRule] = {}
        for entry in behaviour.get("batches", ()):
            rule = BatchRule(
                rows_max=int(entry["max"]),
                status=int(entry.get("status", 200)),
                partial_status=int(entry.get("partial_status", entry.get("status", 200))),
                all_or_nothing=bool(entry.get("all_or_nothing", False)),
            )
            self._rules.update(dict.fromkeys(entry["operations"], rule))

    def run(
        self,
        call: Call,
        rows: Sequence[Json],
        do: Callable[[Json], RowAnswer],
        refuse: Callable[[Json, Refused], RowAnswer],
        *,
        check: Callable[[Json], None] | None = None,
    ) -> BatchResult:
        """Do every row by itself; a row that ``do`` refuses gets what ``refuse`` words.

        ``check`` looks at a row without doing it: where the operation is all or nothing, nothing
        is done unless every row passes. Raises ``Refused`` INVALID (``batch.too_many``) for more
        rows than the operation takes. An operation without a rule takes one row only.
        """
        rule = self._rules.get(call.address) or self._rules.get("*") or BatchRule(1)
        if len(rows) > rule.rows_max:
            msg = f"a call takes {rule.rows_max} rows at most, not {len(rows)}"
            raise Refused(RefusalKind.INVALID, msg, reason="batch.too_many")
        problems: dict[int, Refused] = {}
        if rule.all_or_nothing and check is not None:
            for number, row in enumerate(rows):
                try:
                    check(row)
                except Refused as refused:
                    problems[number] = refused
            if problems:
                first = problems[min(problems)]
                answers = [refuse(row, problems.get(n, first)) for n, row in enumerate(rows)]
                return BatchResult(rule.partial_status, tuple(answers), len(rows))
        done: list[RowAnswer] = []
        failed = 0
        for row in rows:
            try:
                done.append(do(row))
            except Refused as refused:
                failed += 1
                done.append(refuse(row, refused))
        return BatchResult(rule.partial_status if failed else rule.status, tuple(done), failed)
