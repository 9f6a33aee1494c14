"""Compares two contracts and reports every difference with its verdict and its proof."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.compatibility import rules
from harness.compatibility.containment import BudgetSpent, Containment, Pair
from harness.compatibility.gaps import Gap
from harness.compatibility.operations import walk_contracts
from harness.compatibility.pairing import Root, Structural, request_exchange
from harness.compatibility.side import Side
from harness.compatibility.witness import Confirmation, Confirmer, Path
from harness.model.contract import Contract
from harness.model.finding import (
    Direction,
    Finding,
    Places,
    Proof,
    Report,
    Sides,
    Verdict,
    Witness,
    overall_verdict,
)
from harness.model.values import Json, canonical_json, fingerprint

ROOTS_TRIED = 6


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How to compare.

    ``strict_open`` reads silent objects of the writer as open; ``steps_max`` bounds the schema
    pairs looked at in each direction, after which the rest is unproven.
    """

    strict_open: bool = False
    steps_max: int = 60_000


DEFAULT_OPTIONS = CompareOptions()


def compare(old: Contract, new: Contract, *, options: CompareOptions = DEFAULT_OPTIONS) -> Report:
    """Return what a client of ``old`` meets when ``new`` takes its place."""
    walk = walk_contracts(old, new)
    findings = [_structural(s) for s in _grouped(walk.structural)]
    for request in (True, False):
        roots = [r for r in walk.roots if r.request is request]
        findings += _Direction(old, new, roots, request=request, options=options).findings()
    placed = _distinct(_merged(sorted(findings, key=_order)))
    placed = [_located(f, old, new) for f in placed]
    counts = {
        v.value: sum(f.verdict is v for f in placed)
        for v in (Verdict.BREAKING, Verdict.UNPROVEN, Verdict.COMPATIBLE)
    }
    result = tuple(placed)
    return Report(
        command="diff",
        title=f"{old.title or old.source}: {old.version} against {new.version}",
        verdict=overall_verdict(result),
        findings=result,
        headline=_headline(counts),
        summary={**counts, "operations_compared": walk.compared},
    )


def _headline(counts: dict[str, int]) -> str:
    if counts["breaking"]:
        noun = "change breaks" if counts["breaking"] == 1 else "changes break"
        return f"{counts['breaking']} {noun} clients of the old contract."
    if counts["unproven"]:
        return f"Nothing proved breaking; {counts['unproven']} left unproven."
    return "Clients of the old contract keep working."


class _Direction:
    """All containment questions of one direction, explored together so that causes are shared."""

    def __init__(
        self,
        old: Contract,
        new: Contract,
        roots: list[Root],
        *,
        request: bool,
        options: CompareOptions,
    ) -> None:
        dropped = "readOnly" if request else "writeOnly"
        first, second = (old, new) if request else (new, old)
        writer = Side(first.schemas, dropped=dropped, writer=True, closed=not options.strict_open)
        reader = Side(second.schemas, dropped=dropped, writer=False, closed=False)
        self.request = request
        self.containment = Containment(writer, reader, steps=options.steps_max)
        self.confirmer = Confirmer(self.containment)
        self.roots: dict[Pair, list[Root]] = {}
        for root in roots:
            mine, theirs = (root.old, root.new) if request else (root.new, root.old)
            pair = Pair(writer.node(mine), reader.node(theirs), root.wire)
            self.roots.setdefault(pair, []).append(root)
        self.parents: dict[Pair, list[tuple[Pair, tuple[str, ...]]]] = {}

    def findings(self) -> list[Finding]:
        found: list[Finding] = []
        order = self._explore(found)
        for pair in order:
            for gap in self.containment.expand(pair).gaps:
                found.append(self._judge(pair, gap))
            found += self._facts(pair)
        return found

    def _explore(self, found: list[Finding]) -> list[Pair]:
        visited = dict.fromkeys(self.roots)
        todo = deque(self.roots)
        order: list[Pair] = []
        while todo:
            pair = todo.popleft()
            try:
                expansion = self.containment.expand(pair)
            except BudgetSpent:
                found.append(self._out_of_budget(pair))
                break
            order.append(pair)
            for edge in expansion.edges:
                self.parents.setdefault(edge.pair, []).append((pair, edge.step))
                if edge.pair not in visited:
                    visited[edge.pair] = None
                    todo.append(edge.pair)
        return order

    def _out_of_budget(self, pair: Pair) -> Finding:
        return self._judge(pair, Gap("size", reason="budget: too many schema pairs to look at"))

    def _routes(self, pair: Pair) -> Iterator[tuple[Pair, Path]]:
        """Yield every root that reaches the pair, with the shortest way down."""
        seen = {pair}
        todo: deque[tuple[Pair, Path]] = deque([(pair, ())])
        while todo:
            here, path = todo.popleft()
            if here in self.roots:
                yield here, path
            for parent, step in self.parents.get(here, ()):
                if parent not in seen:
                    seen.add(parent)
                    todo.append((parent, ((parent, step), *path)))

    def _judge(self, pair: Pair, gap: Gap) -> Finding:
        routes = list(self._routes(pair))
        confirmed: Confirmation | None = None
        root, path = routes[0]
        for candidate, way in routes[:ROOTS_TRIED]:
            confirmed = self.confirmer.confirm(candidate, way, pair, gap)
            if confirmed is not None:
                root, path = candidate, way
                break
        return self._finding(pair, gap, routes, root, path, confirmed)

    def _finding(
        self,
        pair: Pair,
        gap: Gap,
        routes: list[tuple[Pair, Path]],
        root: Pair,
        path: Path,
        confirmed: Confirmation | None,
    ) -> Finding:
        start = self.roots[root][0]
        steps = [s for _, s in path if s]
        part = "property" if steps else start.part
        keyword = "required-known" if gap.keyword == "required" and gap.known else gap.keyword
        rule, pattern = rules.data_rule(keyword, request=self.request, part=part)
        old, new = (gap.mine, gap.new) if self.request else (gap.new, gap.mine)
        if gap.keyword == "enum":
            old, new = (gap.mine, None) if self.request else (None, gap.mine)
        if gap.keyword == "required":
            old, new = (False, True) if self.request else (True, False)
        where = _field(start.place, steps, gap.name)
        text = pattern.format(mine=_shown(gap.mine), theirs=_shown(gap.new), name=gap.name)
        message = f"{where or 'body'}: {text}."
        direction = Direction.REQUEST if self.request else Direction.RESPONSE
        return Finding(
            fingerprint=fingerprint(rule.id, direction.value, where, old, new),
            rule=rule.id,
            category=rule.category,
            verdict=Verdict.BREAKING if confirmed else Verdict.UNPROVEN,
            message=message,
            direction=direction,
            operations=self._operations(routes),
            pointer=self._pointers(pair),
            field=where,
            old=old,
            new=new,
            proof=Proof.WITNESS if confirmed else Proof.NONE,
            witness=Witness(confirmed.value, request_exchange(start, confirmed.value))
            if confirmed
            else None,
            reason=""
            if confirmed
            else gap.reason or "no value was found that both full schemas confirm",
        )

    def _operations(self, routes: list[tuple[Pair, Path]]) -> tuple[str, ...]:
        return tuple(sorted({r.operation for root, _ in routes for r in self.roots[root]}))

    def _pointers(self, pair: Pair) -> Sides:
        mine = pair.writer.pointers[0] if pair.writer.pointers else None
        theirs = pair.reader.pointers[0] if pair.reader.pointers else None
        return Sides(mine, theirs) if self.request else Sides(theirs, mine)

    def _facts(self, pair: Pair) -> Iterator[Finding]:
        """Yield properties that came or went without breaking anything."""
        expansion = self.containment.expand(pair)
        writer = self.containment.writer.shape(pair.writer)
        reader = self.containment.reader.shape(pair.reader)
        if not (expansion.edges or expansion.gaps) or writer.unions or reader.unions:
            return
        if not ("object" in writer.types and "object" in reader.types):
            return
        told = {g.name for g in expansion.gaps if g.name}
        came = sorted(reader.names.keys() - writer.names.keys() - told)
        went = sorted(writer.names.keys() - reader.names.keys() - told)
        added, removed = (came, went) if self.request else (went, came)
        for name, rule in [(n, "added") for n in added] + [(n, "removed") for n in removed]:
            yield self._fact(pair, name, rule)

    def _fact(self, pair: Pair, name: str, what: str) -> Finding:
        routes = list(self._routes(pair))
        root, path = routes[0]
        start = self.roots[root][0]
        direction = Direction.REQUEST if self.request else Direction.RESPONSE
        rule = rules.STRUCTURE[f"{direction.value}-property-{what}"]
        where = _field(start.place, [s for _, s in path if s], name)
        text = "is new" if what == "added" else "is not described any more"
        return Finding(
            fingerprint=fingerprint(rule.id, direction.value, where, None, None),
            rule=rule.id,
            category=rule.category,
            verdict=Verdict.COMPATIBLE,
            message=f"{where}: the property {name} {text}.",
            direction=direction,
            operations=self._operations(routes),
            pointer=self._pointers(pair),
            field=where,
            old=None if what == "added" else name,
            new=name if what == "added" else None,
        )


def _field(place: str, steps: list[tuple[str, ...]], name: str) -> str:
    text = place
    for step in steps:
        if step[0] == "property":
            text = f"{text}.{step[1]}" if text else step[1]
        elif step[0] in {"extra", "pattern"}:
            text = f"{text}.*" if text else "*"
        else:
            text += "[]"
    return (f"{text}.{name}" if text else name) if name else text


def _shown(value: Json) -> str:
    return "nothing" if value in (None, []) else canonical_json(value)


def _grouped(items: list[Structural]) -> list[tuple[Structural, tuple[str, ...]]]:
    """Join the same difference of a shared component into one."""
    groups: dict[str, list[Structural]] = {}
    for item in items:
        shared = [
            p for p in (item.pointer.old, item.pointer.new) if p and not p.startswith("/paths")
        ]
        key = canonical_json(
            [item.rule, item.field, item.old, item.new, shared or item.operation, item.message]
        )
        groups.setdefault(key, []).append(item)
    return [(g[0], tuple(sorted({i.operation for i in g if i.operation}))) for g in groups.values()]


def _structural(group: tuple[Structural, tuple[str, ...]]) -> Finding:
    item, operations = group
    rule = rules.STRUCTURE[item.rule]
    breaking = item.verdict is Verdict.BREAKING
    direction = item.direction.value if item.direction else None
    return Finding(
        fingerprint=fingerprint(rule.id, direction, item.field, item.old, operations[:1]),
        rule=rule.id,
        category=rule.category,
        verdict=item.verdict,
        message=item.message,
        direction=item.direction,
        operations=operations,
        pointer=item.pointer,
        field=item.field,
        old=item.old,
        new=item.new,
        proof=Proof.STRUCTURE if breaking else Proof.NONE,
        witness=Witness(None, item.exchange) if breaking and item.exchange is not None else None,
        reason=item.reason,
    )


_RANK = {Verdict.BREAKING: 0, Verdict.UNPROVEN: 1, Verdict.COMPATIBLE: 2, Verdict.NOT_CHECKED: 3}


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return (
        _RANK[finding.verdict],
        finding.operations[0] if finding.operations else "",
        finding.field,
        finding.rule,
        canonical_json([finding.to_json()]),
    )


def _merged(findings: list[Finding]) -> list[Finding]:
    """Ask an open question once, though several alternatives of a union raise it."""
    questions: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        if finding.verdict is Verdict.UNPROVEN:
            key = (finding.rule, finding.direction, finding.field, finding.operations)
            questions.setdefault((*key, finding.reason), []).append(finding)
    repeated = {id(f) for group in questions.values() for f in group[1:]}
    counts = {id(group[0]): len(group) for group in questions.values()}
    kept = [f for f in findings if id(f) not in repeated]
    return [
        replace(f, reason=f"{f.reason} ({counts[id(f)]} alternatives)")
        if counts.get(id(f), 1) > 1
        else f
        for f in kept
    ]


def _distinct(findings: list[Finding]) -> list[Finding]:
    """Give findings that read alike but have other causes their own fingerprints."""
    seen: dict[str, int] = {}
    result = []
    for finding in findings:
        count = seen.get(finding.fingerprint, 0)
        seen[finding.fingerprint] = count + 1
        if count:
            finding = replace(finding, fingerprint=fingerprint(finding.fingerprint, count))
        result.append(finding)
    return result


def _located(finding: Finding, old: Contract, new: Contract) -> Finding:
    places = Places(
        old.locate(finding.pointer.old) if finding.pointer.old is not None else None,
        new.locate(finding.pointer.new) if finding.pointer.new is not None else None,
    )
    return replace(finding, places=places)


__all__ = ["DEFAULT_OPTIONS", "CompareOptions", "compare"]
