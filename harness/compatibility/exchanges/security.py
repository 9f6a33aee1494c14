"""Credentials that used to suffice: alternatives compared by what the schemes are, not by name.

Schemes of one alternative must all be met, and any alternative will do. A scheme is what travels:
an API key by place and name, an HTTP scheme by its name; tokens of OAuth 2 and OpenID Connect are
bearer tokens, so a scheme that asks for any bearer token takes them, but not the other way round.
How a token is obtained (flows, addresses, scopes on offer) is compared for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from harness.compatibility.exchanges.calls import Calls
from harness.compatibility.exchanges.pairing import Walk
from harness.model.contract import Contract, Dialect, Operation, SecurityAlternative
from harness.model.finding import Direction, Sides
from harness.model.values import Json, JsonObject, pointer, resolve_pointer

Kind = tuple[str, ...]
ANONYMOUS = SecurityAlternative(())
_BEARER: Kind = ("http", "bearer")
_TOKENS: frozenset[Kind] = frozenset({("oauth2",), ("openIdConnect",)})
_SWAGGER_FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_ADDRESSES = ("authorizationUrl", "tokenUrl", "refreshUrl")
_GRANTS = {"clientCredentials": "client_credentials", "password": "password"}


def compare_security(
    walk: Walk,
    contracts: tuple[Contract, Contract],
    pair: tuple[Operation, Operation],
    calls: Calls,
) -> None:
    """Report the credentials of an operation that are refused now, or not asked for any more."""
    before, after = pair
    if before.security == after.security and contracts[0].security_schemes == (
        contracts[1].security_schemes
    ):
        return
    facts: dict[str, Any] = {"direction": Direction.REQUEST}
    for alternative in _uncovered(*contracts, before, after):
        missing = _shown(alternative)
        text = f"Calls authorised by {missing} are refused now."
        walk.breaks(
            "security-tightened",
            before.label,
            text if alternative.schemes else "Calls without credentials are refused now.",
            old=missing,
            new=[_shown(a) for a in after.security],
            pointer=_places(contracts, pair),
            exchange=calls.call(before, alternative=alternative),
            **facts,
        )
    for alternative in _uncovered(contracts[1], contracts[0], after, before):
        shown = _shown(alternative)
        walk.notes(
            "security-loosened",
            before.label,
            f"Calls authorised by {shown} are accepted now.",
            new=shown,
            pointer=_places(contracts, pair),
            **facts,
        )


def compare_schemes(walk: Walk, old: Contract, new: Contract) -> None:
    """Report what changed in the way tokens are obtained, for schemes that operations use."""
    used: dict[str, set[str]] = {}
    for operation in old.operations:
        for alternative in operation.security:
            for name, scopes in alternative.schemes:
                used.setdefault(name, set()).update(scopes)
    for name in sorted(used):
        scheme = old.security_schemes.get(name)
        other = _counterpart(name, old, new)
        if isinstance(scheme, Mapping) and other is not None and scheme != other[1]:
            where = Sides(_place(old, name), _place(new, other[0]))
            _compare_scheme(walk, name, scheme, other[1], used[name], where)


def _compare_scheme(
    walk: Walk,
    name: str,
    old: JsonObject,
    new: JsonObject,
    scopes: set[str],
    where: Sides,
) -> None:
    facts: dict[str, Any] = {"direction": Direction.REQUEST, "pointer": where}
    before, after = _flows(old), _flows(new)
    for flow, node in before.items():
        if flow not in after:
            walk.breaks(
                "security-flow-removed",
                "",
                f"Tokens of {name} cannot be had by the {flow} flow any more.",
                field=f"security.{name}.{flow}",
                old=flow,
                new=list(after),
                exchange=_token_request(flow, node, scopes),
                **facts,
            )
            continue
        for member in _ADDRESSES:
            _address(walk, f"{name}.{flow}", member, node, after[flow], facts, (flow, scopes))
        _scopes(walk, f"{name}.{flow}", flow, (node, after[flow]), scopes, facts)
    _address(walk, name, "openIdConnectUrl", old, new, facts, ("", scopes))


def _address(
    walk: Walk,
    place: str,
    member: str,
    old: JsonObject,
    new: JsonObject,
    facts: dict[str, Any],
    asked: tuple[str, set[str]],
) -> None:
    if member not in old or old[member] == new.get(member):
        return
    walk.breaks(
        "security-address-changed",
        "",
        f"The {member} of {place} is another one now.",
        field=f"security.{place}.{member}",
        old=old[member],
        new=new.get(member),
        exchange=_token_request(asked[0], old, asked[1], member),
        **facts,
    )


def _scopes(
    walk: Walk,
    place: str,
    flow: str,
    pair: tuple[JsonObject, JsonObject],
    used: set[str],
    facts: dict[str, Any],
) -> None:
    offered, kept = (p.get("scopes") for p in pair)
    if not isinstance(offered, Mapping):
        return
    for scope in sorted(set(offered) - set(kept if isinstance(kept, Mapping) else ())):
        told = {**facts, "field": f"security.{place}.{scope}", "old": scope}
        text = f"The scope {scope} of {place} is not on offer any more."
        if scope in used:
            exchange = _token_request(flow, pair[0], {scope})
            walk.breaks("security-scope-removed", "", text, exchange=exchange, **told)
        else:
            walk.notes("security-scope-removed", "", text, **told)


def _token_request(flow: str, node: JsonObject, scopes: set[str], member: str = "") -> Json:
    """Return the request by which clients used to get a token."""
    wanted = quote(" ".join(sorted(scopes)))
    address = member or ("tokenUrl" if flow in _GRANTS else "authorizationUrl")
    try:
        parts = urlsplit(str(node.get(address, "")))
    except ValueError:
        return None
    made: dict[str, Json] = {"method": "GET", "target": parts.path or "/", "headers": {}}
    if parts.netloc:
        made["server"] = f"{parts.scheme}://{parts.netloc}"
    if address == "authorizationUrl":
        kind = "token" if flow == "implicit" else "code"
        made["target"] += f"?response_type={kind}&client_id=fake-client&scope={wanted}"
    elif address != "openIdConnectUrl":
        grant = (
            "refresh_token" if address == "refreshUrl" else _GRANTS.get(flow, "authorization_code")
        )
        form = "application/x-www-form-urlencoded"
        body = f"grant_type={grant}&client_id=fake-client&scope={wanted}"
        made |= {"method": "POST", "media_type": form, "body": body}
        made["headers"] = {"Content-Type": form}
    return {"request": made}


def _uncovered(
    old: Contract, new: Contract, before: Operation, after: Operation
) -> Iterator[SecurityAlternative]:
    """Yield the alternatives of one side that no alternative of the other accepts."""
    if not after.security:
        return
    offers = [_needs(new, a) for a in after.security]
    for alternative in before.security or (ANONYMOUS,):
        held = _needs(old, alternative)
        if not any(_met(offer, held) for offer in offers):
            yield alternative


def _needs(contract: Contract, alternative: SecurityAlternative) -> dict[Kind, frozenset[str]]:
    found: dict[Kind, frozenset[str]] = {}
    for name, scopes in alternative.schemes:
        kind = _kind(contract, name)
        found[kind] = found.get(kind, frozenset()) | frozenset(scopes)
    return found


def _met(offer: dict[Kind, frozenset[str]], held: dict[Kind, frozenset[str]]) -> bool:
    return all(
        (kind in held and scopes <= held[kind])
        or (kind == _BEARER and not scopes and bool(_TOKENS & held.keys()))
        for kind, scopes in offer.items()
    )


def _kind(contract: Contract, name: str) -> Kind:
    scheme = contract.security_schemes.get(name)
    return _kind_of(scheme, name) if isinstance(scheme, Mapping) else ("unknown", name)


def _kind_of(scheme: JsonObject, name: str) -> Kind:
    kind = str(scheme.get("type"))
    if kind == "apiKey":
        place, key = str(scheme.get("in")), str(scheme.get("name"))
        return kind, place, key.lower() if place == "header" else key
    if kind == "basic":
        return "http", "basic"
    if kind == "http":
        return kind, str(scheme.get("scheme")).lower()
    return (kind,) if kind in {"oauth2", "openIdConnect", "mutualTLS"} else (kind, name)


def _counterpart(name: str, old: Contract, new: Contract) -> tuple[str, JsonObject] | None:
    """Return the new scheme of the same kind: of the same name if there is one, else the first."""
    kind = _kind(old, name)
    order = [name, *sorted(new.security_schemes)]
    for other in order:
        scheme = new.security_schemes.get(other)
        if isinstance(scheme, Mapping) and _kind_of(scheme, other) == kind:
            return other, scheme
    return None


def _flows(scheme: JsonObject) -> dict[str, JsonObject]:
    """Return the flows of OAuth 2 under the names OpenAPI 3 has for them."""
    if scheme.get("type") != "oauth2":
        return {}
    flow = scheme.get("flow")
    if isinstance(flow, str):
        return {_SWAGGER_FLOWS.get(flow, flow): scheme}
    flows = scheme.get("flows")
    found = flows.items() if isinstance(flows, Mapping) else ()
    return {k: v for k, v in found if isinstance(v, Mapping)}


def _shown(alternative: SecurityAlternative) -> Json:
    return {n: list(s) for n, s in alternative.schemes} or "nothing"


def _place(contract: Contract, name: str) -> str:
    if contract.dialect is Dialect.SWAGGER_2_0:
        return pointer("securityDefinitions", name)
    return pointer("components", "securitySchemes", name)


def _places(contracts: tuple[Contract, Contract], pair: tuple[Operation, Operation]) -> Sides:
    """Return where the demands stand: in the document, when an operation has none of its own."""
    found = []
    for contract, operation in zip(contracts, pair, strict=True):
        try:
            own = "security" in resolve_pointer(contract.document, operation.pointer)
        except (LookupError, TypeError):
            own = False
        shared = "/security" if "security" in contract.document else operation.pointer
        found.append(f"{operation.pointer}/security" if own else shared)
    return Sides(found[0], found[1])
