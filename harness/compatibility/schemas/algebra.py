"""What jsonschema-rs says about the two sides: validators, and proofs by its algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema_rs
from jsonschema_rs import Draft202012, Draft202012Validator

from harness.compatibility.exchanges.wire import readings
from harness.compatibility.schemas.closing import Closing
from harness.compatibility.schemas.documents import Document
from harness.compatibility.schemas.side import Node, Side
from harness.model.values import Json

Test = Callable[[Json], bool]
# Schemas above this size are not handed to the algebra: shared references make it slow.
DEFINITIONS_MAX = 40
# A local check of a value is skipped where the schema reaches further than this.
NEAR_MAX = 400


def compiled(
    side: Side, node: Node, *, closed: bool = True, scalar: bool = False, limit: int | None = None
) -> Test | None:
    """Return a validator of the node with formats asserted; ``None`` when it cannot be built.

    A ``scalar`` validator may be asked about scalars only. Beyond ``limit`` definitions none is
    built.
    """
    schema = Document(side, node, closed=closed, scalar=scalar).build(limit)
    if schema is None:
        return None
    try:
        return Draft202012Validator(schema, validate_formats=True).is_valid
    except (ValueError, jsonschema_rs.ReferencingError):
        return None


class Algebra:
    """What can be asked of jsonschema-rs about the two sides."""

    def __init__(self, writer: Side, reader: Side) -> None:
        """Remember both sides; tests and proofs are made on demand."""
        self.writer = writer
        self.reader = reader
        self._closing = Closing(writer, self.written_test)
        self._tests: dict[tuple[Node, bool], Test | None] = {}
        self._near: dict[Node, Test | None] = {}
        self._covers: dict[tuple[Node, Node], bool] = {}
        self._open_tests: dict[tuple[Node, bool], Test | None] = {}
        self._readable: dict[tuple[Node, bool], bool] = {}

    def writer_test(self, node: Node) -> Test | None:
        """Return the test of what a writer sends: as written, and closed where it is silent."""
        written = self.written_test(node)
        if written is None or not self.writer.closed:
            return written
        return lambda value: written(value) and self._closing.sends(node, value)

    def written_test(self, node: Node, *, scalar: bool = False) -> Test | None:
        """Return the validator of a writer's node as written: it takes at least what is sent."""
        key = (node, scalar)
        if key not in self._open_tests:
            self._open_tests[key] = compiled(self.writer, node, closed=False, scalar=scalar)
        return self._open_tests[key]

    def reader_test(self, node: Node, *, wire: str = "", scalar: bool = False) -> Test | None:
        """Return the validator of a reader's node; on the wire any reading of the text may pass."""
        key = (node, scalar)
        if key not in self._tests:
            self._tests[key] = compiled(self.reader, node, scalar=scalar)
        test = self._tests[key]
        if test is None or not wire:
            return test
        return lambda value: any(test(v) for v in readings(value))

    def near_test(self, node: Node) -> Test | None:
        """Return the validator of a reader's node unless it reaches too far to be worth it."""
        if node not in self._near:
            known = self._tests.get((node, False))
            self._near[node] = known or compiled(self.reader, node, limit=NEAR_MAX)
        return self._near[node]

    def reader_is_readable(self, node: Node, *, scalar: bool = False) -> bool:
        """Say whether a test of this node may prove a yes: every reference leads somewhere."""
        key = (node, scalar)
        if key not in self._readable:
            copy = Document(self.reader, node, scalar=scalar)
            self._readable[key] = copy.build() is not None and copy.exact
        return self._readable[key]

    def writer_is_readable(self, node: Node, *, scalar: bool = False) -> bool:
        """Say whether a test of the writer's node as written may prove a yes."""
        copy = Document(self.writer, node, closed=False, scalar=scalar)
        return copy.build() is not None and copy.exact

    def covers(self, writer: Node, reader: Node) -> bool:
        """Say whether the algebra proves that the reader takes everything of the writer."""
        key = (writer, reader)
        if key not in self._covers:
            self._covers[key] = self._prove(writer, reader)
        return self._covers[key]

    def difference(self, writer: Node, reader: Node) -> dict[str, Any] | None:
        """Return a schema of what the writer may send and the reader does not take, if found."""
        both = self._canonical(writer, reader)
        if both is None:
            return None
        try:
            rest = both[0].subtract(both[1]).to_json_schema()
        except (ValueError, jsonschema_rs.ReferencingError):
            return None
        return rest if isinstance(rest, dict) else None

    def _canonical(self, writer: Node, reader: Node) -> tuple[Any, Any] | None:
        copies = Document(self.writer, writer), Document(self.reader, reader)
        mine, theirs = (copy.build(DEFINITIONS_MAX) for copy in copies)
        if mine is None or theirs is None or not all(copy.exact for copy in copies):
            return None
        try:
            left = jsonschema_rs.canonicalize(mine, draft=Draft202012, validate_formats=True)
            right = jsonschema_rs.canonicalize(theirs, draft=Draft202012, validate_formats=True)
        except (ValueError, jsonschema_rs.ReferencingError):
            return None
        return left, right

    def _prove(self, writer: Node, reader: Node) -> bool:
        both = self._canonical(writer, reader)
        if both is None:
            return False
        try:
            return bool(both[1].covers(both[0]).value == "yes")
        except (ValueError, jsonschema_rs.ReferencingError):
            return False
