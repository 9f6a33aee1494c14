"""Links: calls that an answer makes possible. A link promises no data, so nothing here breaks.

A link is judged by where it leads, not by how the target is named: an operationId that was renamed
together with its operation still leads to the same place.
"""

from __future__ import annotations

from harness.catalog.references import reference_pointer
from harness.compatibility.exchanges.pairing import PLACEHOLDER, Walk
from harness.model.contract import Contract, Link, Operation, Response
from harness.model.finding import Direction, Sides
from harness.model.values import Json


def compare_links(
    walk: Walk,
    contracts: tuple[Contract, Contract],
    label: str,
    responses: tuple[Response, Response],
) -> None:
    """Note the links of an answer that are gone, new, or lead elsewhere."""
    before, after = responses
    if not before.links and not after.links:
        return
    there = {link.name: link for link in after.links}
    for link in before.links:
        other = there.pop(link.name, None)
        facts = {
            "direction": Direction.RESPONSE,
            "field": f"link.{link.name}",
            "pointer": Sides(link.pointer, other.pointer if other else after.pointer),
        }
        if other is None:
            text = f"The link {link.name} to {_target(link)} cannot be followed any more."
            facts["exchange"] = {"link": _shown(link)}
            walk.breaks("response-link-removed", label, text, old=_shown(link), **facts)
        else:
            _compare(walk, contracts, label, link, other, facts)
    for link in there.values():
        walk.notes(
            "response-link-added",
            label,
            f"The link {link.name} is new.",
            direction=Direction.RESPONSE,
            field=f"link.{link.name}",
            new=_shown(link),
            pointer=Sides(before.pointer, link.pointer),
        )


def _compare(
    walk: Walk,
    contracts: tuple[Contract, Contract],
    label: str,
    old: Link,
    new: Link,
    facts: dict[str, Json],
) -> None:
    mine, theirs = (_followed(c, link) for c, link in zip(contracts, (old, new), strict=True))
    shown = {"old": _shown(old), "new": _shown(new), "exchange": {"link": _shown(old)}}
    if theirs is None and mine is not None:
        text = f"The link {old.name} leads to {_target(new)}, which is not described."
        walk.breaks("response-link-broken", label, text, **shown, **facts)
    elif mine is not None and theirs is not None and _key(mine) != _key(theirs):
        text = f"The link {old.name} leads to {theirs.label} now, and led to {mine.label}."
        walk.breaks("response-link-target-changed", label, text, **shown, **facts)
    elif _arguments(old, mine) != _arguments(new, theirs):
        text = f"The link {old.name} fills the call with other values now."
        walk.breaks("response-link-parameters-changed", label, text, **shown, **facts)


def _arguments(link: Link, target: Operation | None) -> Json:
    """Return what a link fills in, path parameters by position as their names mean nothing."""
    names = PLACEHOLDER.findall(target.path) if target else []
    places = {name: f"path {i}" for i, name in enumerate(names)}
    given = {
        places.get(k.removeprefix("path."), k.rpartition(".")[2]): v
        for k, v in link.parameters.items()
    }
    return given, link.body


def _followed(contract: Contract, link: Link) -> Operation | None:
    place = reference_pointer(link.operation_ref) if link.operation_ref else None
    for operation in contract.operations:
        by_id = link.operation_id is not None and operation.operation_id == link.operation_id
        if by_id or (place is not None and operation.pointer == place):
            return operation
    return None


def _key(operation: Operation) -> tuple[str, str]:
    return operation.method, PLACEHOLDER.sub("{}", operation.path)


def _target(link: Link) -> str:
    return link.operation_id or link.operation_ref or "nowhere"


def _shown(link: Link) -> dict[str, Json]:
    shown: dict[str, Json] = {"target": _target(link), "parameters": dict(link.parameters)}
    return {**shown, "body": link.body} if link.body is not None else shown
