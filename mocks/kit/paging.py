"""How lists hand out their pages, over rows that change while a client walks.

Where a walk stands travels in what the client sends back; a simulator remembers nothing between
pages. Five kinds, named in ``paging`` of ``behaviour.yaml``:

``offset``   a position in the list as it is now: rows that arrive or leave shift the others, so
             that a client sees some twice and others never, as with the real ones;
``token``    an opaque token that is bound to its operation, account and query;
``cursor``   the same in a whole query string (``?limit=..&cursor=..``) to be appended as it is;
``link``     the same in a ``Link`` header whose address carries the token and the page size only;
``next_url`` the same as an absolute address in the body.

All but ``offset`` go by key: the next page starts after the last row seen, so nothing repeats.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from harness.model.exchange import Headers, Query
from harness.model.instants import SECOND_US
from harness.model.values import JsonObject
from mocks.kit.calls import Call, RefusalKind, Refused
from mocks.kit.page_tokens import seal, unseal

T = TypeVar("T")
Key = tuple[Any, ...]

_NUMBER_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True)
class PagingRule:
    """How one operation pages. ``request``, ``response`` and ``size`` name where things travel."""

    kind: str
    request: str
    response: str
    size: str | None
    default: int
    most: int
    token_seconds: int | None = None
    over_max: str = "refuse"  # or clamp
    offset_unit: str = "rows"  # or pages
    aligned: bool = False  # offsets that are no multiple of the size are refused
    pages_max: int | None = None
    reuse: bool = True  # a token may be sent twice
    empty_status: int | None = None  # an empty list is answered with this error status

    def page_size(self, values: Mapping[str, str]) -> int:
        """Return the page size asked for; raises ``Refused`` INVALID for one that cannot be."""
        text = values.get(self.size) if self.size is not None else None
        if text is None:
            return self.default
        number = _whole(text)
        if number is None or number < 1 or (number > self.most and self.over_max != "clamp"):
            msg = f"{self.size} must be a number from 1 to {self.most}"
            raise Refused(RefusalKind.INVALID, msg, reason="paging.size")
        return min(number, self.most)


def paging_rule(behaviour: JsonObject, address: str) -> PagingRule | None:
    """Return the rule of one operation, ``None`` when it does not page."""
    for entry in behaviour.get("paging", ()):
        if address in entry["operations"] or "*" in entry["operations"]:
            most = int(entry.get("max", 100))
            return PagingRule(
                kind=str(entry["kind"]),
                request=str(entry["request"]),
                response=str(entry["response"]),
                size=entry.get("size"),
                default=int(entry.get("default", most)),
                most=most,
                token_seconds=entry.get("token_seconds"),
                over_max=str(entry.get("over_max", "refuse")),
                offset_unit=str(entry.get("offset_unit", "rows")),
                aligned=bool(entry.get("aligned", False)),
                pages_max=entry.get("pages_max"),
                reuse=bool(entry.get("reuse", True)),
                empty_status=entry.get("empty_status"),
            )
    return None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. ``next`` is what goes where the rule says, ``None`` on the last page.

    ``headers`` carries the ``Link`` of a page that has one; ``total`` counts all rows.
    """

    items: list[T]
    total: int
    offset: int
    size: int
    next: str | None = None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk at one page. ``query`` is the one that started it and ``started_us`` when.

    ``carried`` is what the simulator wants back on every page, such as the bound it applied.
    """

    rule: PagingRule
    call: Call
    query: Query
    started_us: int
    size: int
    after: Key | None = None
    offset: int = 0
    token: str | None = None
    carried: JsonObject = field(default_factory=dict)

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter of the first page's query, repeated or with commas."""
        return every_value(self.query, name)

    def value(self, name: str) -> str | None:
        """Return the first value of a parameter of the first page's query."""
        return next((value for key, value in self.query if key == name), None)

    def carrying(self, **facts: Any) -> Walk:
        """Return the walk with facts that come back on the next page; they must be JSON."""
        return replace(self, carried={**self.carried, **facts})

    def page(self, rows: Sequence[T], key: Callable[[T], Key] | None = None) -> Page[T]:
        """Return this page of ``rows``, which stand in list order.

        ``key`` tells a row's place in that order (such as instant and id); kinds that go by key
        need it. Raises ``Refused`` NOT_FOUND for an empty list where the vendor does.
        """
        rule = self.rule
        if not rows and self.token is None and rule.empty_status is not None:
            msg = "nothing fits the request"
            raise Refused(
                RefusalKind.NOT_FOUND, msg, status=rule.empty_status, reason="paging.empty"
            )
        if rule.kind == "offset":
            items = list(rows[self.offset : self.offset + self.size])
            more = self.offset + self.size < len(rows)
            unit = self.size if rule.offset_unit == "pages" else 1
            following = str((self.offset + self.size) // unit) if more else None
            return Page(items, len(rows), self.offset, self.size, following)
        place = key or _position_of(rows)
        first = 0
        if self.after is not None:
            first = bisect_right(rows, self.after, key=place)
        items = list(rows[first : first + self.size])
        if first + self.size >= len(rows):
            return Page(items, len(rows), first, self.size)
        return self._with_next(Page(items, len(rows), first, self.size), place(items[-1]))

    def _with_next(self, page: Page[T], last: Key) -> Page[T]:
        call = self.call
        token = seal(
            {
                "of": call.address,
                "at": call.request.path,
                "for": call.account,
                "query": [list(pair) for pair in self.query],
                "started": self.started_us,
                "after": list(last),
                "issued": call.now_us,
                "carried": dict(self.carried),
            }
        )
        rule = self.rule
        if rule.kind == "token":
            return replace(page, next=token)
        pairs = [(rule.request, token)]
        if rule.size is not None:
            pairs.insert(0, (rule.size, str(self.size)))
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        if rule.kind == "cursor":
            return replace(page, next=f"?{text}")
        url = f"{own_url(call)}?{text}"
        if rule.kind == "next_url":
            return replace(page, next=url)
        return replace(page, next=token, headers=(("link", f'<{url}>; rel="next"'),))


def own_url(call: Call, path: str | None = None) -> str:
    """Return an absolute address on the host the client called, of ``path`` or the call's own."""
    host = call.request.header("host")
    at = call.request.path if path is None else path
    if host is None:
        return at
    local = host.partition(":")[0] in ("127.0.0.1", "localhost", "[")
    return f"{'http' if local else 'https'}://{host}{at}"


def every_value(query: Query, name: str) -> tuple[str, ...]:
    """Return all values of a parameter, repeated or with commas."""
    return tuple(part for key, value in query if key == name for part in value.split(",") if part)


def _position_of(rows: Sequence[Any]) -> Callable[[Any], Key]:
    places = {id(row): (number,) for number, row in enumerate(rows)}
    return lambda row: places[id(row)]


def _whole(text: str) -> int | None:
    fits = text.isascii() and text.isdecimal() and len(text) <= _NUMBER_DIGITS_MAX
    return int(text) if fits else None


class Pager:
    """Opens walks by the rules of one system, and remembers tokens that may be used only once."""

    def __init__(self, behaviour: JsonObject, settings: Mapping[str, Any]) -> None:
        """Read ``paging``; the setting ``paging_token_reuse`` overrides ``reuse``."""
        self._behaviour = behaviour
        self._reuse = settings.get("paging_token_reuse")
        self._rules: dict[str, PagingRule | None] = {}
        self._used: dict[str, None] = {}

    def rule(self, address: str) -> PagingRule | None:
        """Return the rule of one operation, ``None`` when it does not page."""
        if address not in self._rules:
            rule = paging_rule(self._behaviour, address)
            if rule is not None and self._reuse is not None:
                rule = replace(rule, reuse=bool(self._reuse))
            self._rules[address] = rule
        return self._rules[address]

    def open(self, call: Call, *, default: int | None = None) -> Walk:
        """Start the walk of this call, or resume the one whose token came along.

        ``default`` overrides the page size of a client that asks for none. An operation without a
        rule shows everything on one page. Raises ``Refused`` INVALID, with
        a reason (``paging.size``, ``paging.token``, ``paging.expired``, ``paging.query``,
        ``paging.offset``), for what the vendor would not take.
        """
        rule = self.rule(call.address) or _ONE_PAGE
        if default is not None:
            rule = replace(rule, default=default)
        if rule.kind == "offset":
            return self._by_offset(call, rule)
        token = call.query.get(rule.request)
        if token:
            return self._resume(call, rule, token)
        size = rule.page_size(call.query)
        return Walk(rule, call, call.request.query, call.now_us, size)

    def _by_offset(self, call: Call, rule: PagingRule) -> Walk:
        size = rule.page_size(call.query)
        given = _whole(call.query.get(rule.request, "0"))
        if given is None:
            msg = f"{rule.request} must be a whole number, zero or more"
            raise Refused(RefusalKind.INVALID, msg, reason="paging.offset")
        offset = given * size if rule.offset_unit == "pages" else given
        if rule.aligned and offset % size:
            msg = f"{rule.request} must be a multiple of {rule.size} ({size})"
            raise Refused(RefusalKind.INVALID, msg, reason="paging.offset")
        if rule.pages_max is not None and offset // size >= rule.pages_max:
            msg = f"a list has at most {rule.pages_max} pages"
            raise Refused(RefusalKind.INVALID, msg, reason="paging.offset")
        return Walk(rule, call, call.request.query, call.now_us, size, offset=offset)

    def _resume(self, call: Call, rule: PagingRule, token: str) -> Walk:
        state = self._read(call, rule, token)
        query = tuple((str(name), str(value)) for name, value in state["query"])
        for name, value in call.request.query:
            if name not in (rule.request, rule.size) and (name, value) not in query:
                msg = f"{name} differs from the query {rule.request} belongs to"
                raise Refused(RefusalKind.INVALID, msg, reason="paging.query")
        if not rule.reuse:
            if token in self._used:
                msg = f"{rule.request} was used before"
                raise Refused(RefusalKind.INVALID, msg, reason="paging.token")
            self._used[token] = None
        values = dict(query)
        if rule.size is not None and rule.size in call.query:
            values[rule.size] = call.query[rule.size]
        return Walk(
            rule,
            call,
            query,
            int(state["started"]),
            rule.page_size(values),
            after=tuple(state["after"]),
            token=token,
            carried=state["carried"],
        )

    def _read(self, call: Call, rule: PagingRule, token: str) -> JsonObject:
        try:
            state = unseal(token)
        except ValueError as error:
            msg = f"{rule.request} is not valid: {error}"
            raise Refused(RefusalKind.INVALID, msg, reason="paging.token") from error
        belongs = (state.get("of"), state.get("at"), state.get("for"))
        if belongs != (call.address, call.request.path, call.account):
            msg = f"{rule.request} belongs to another operation, path or account"
            raise Refused(RefusalKind.INVALID, msg, reason="paging.token")
        life_s = rule.token_seconds
        if life_s is not None and call.now_us - int(state["issued"]) >= life_s * SECOND_US:
            msg = f"{rule.request} has expired"
            raise Refused(RefusalKind.INVALID, msg, reason="paging.expired")
        return state


_ONE_PAGE = PagingRule("token", "", "", None, 1_000_000_000, 1_000_000_000)
