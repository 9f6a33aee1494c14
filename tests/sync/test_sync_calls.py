"""Proves how one call ends: who waits how long, when a token is renewed, what is never repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.model.errors import AnswerLost, ConnectFailed, TransportError
from harness.model.exchange import Headers, HttpRequest, HttpResponse
from harness.model.ports import Credentials, SystemAccess
from harness.simulation.clock import VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from harness.sync.calls import Backoff, Caller, Ending, Outcome
from harness.sync.governor import Governor
from harness.sync.manners import Manners
from harness.sync.settings import Settings
from harness.sync.tokens import NoToken, Tokens

CREDENTIALS = Credentials({"client_id": "c", "client_secret": "s", "refresh_token": "r"})
ACCESS = SystemAccess("shop", "channel", "http://shop.invalid", "A1", CREDENTIALS)
SIGN_IN = {"kind": "oauth2_refresh_token", "token_path": "/token", "request_header": "x-token"}
JSON: Headers = (("content-type", "application/json"),)
THING = HttpRequest("GET", "/things")

Script = Callable[[int, str | None], HttpResponse | TransportError]


class Shop:
    """A server in one object: hands out tokens t1, t2, ... and answers calls from a script.

    The script gets the number of the call (from 1) and the token it carried.
    """

    def __init__(self, clock: VirtualClock, script: Script, token_answer: bytes | None) -> None:
        self.clock = clock
        self.script = script
        self.token_answer = token_answer
        self.issued = 0
        self.ever_slower = False
        self.calls: list[tuple[float, str | None]] = []

    async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
        # Answers take a second or more, so that calls overlap.
        if request.path == "/token":
            self.issued += 1
            body = self.token_answer or b'{"access_token":"t%d","expires_in":3600}' % self.issued
            await self.clock.sleep(1)
            return HttpResponse(200, JSON, body)
        token = request.header("x-token")
        self.calls.append((self.clock.now_us() / 1e6, token))
        number = len(self.calls)
        answer = self.script(number, token)
        await self.clock.sleep(number if self.ever_slower else 1)
        if isinstance(answer, TransportError):
            raise answer
        return answer


def ok(_number: int, _token: str | None) -> HttpResponse:
    return HttpResponse(200, JSON, b"{}")


def status(code: int, *headers: tuple[str, str]) -> HttpResponse:
    return HttpResponse(code, (*JSON, *headers), b"{}")


def play(
    script: Script,
    *,
    callers: int = 1,
    read: bool = True,
    kind: str = "oauth2_refresh_token",
    token_answer: bytes | None = None,
    ever_slower: bool = False,
) -> tuple[list[Outcome], Shop, float]:
    clock, settings = VirtualClock(0), Settings()
    shop = Shop(clock, script, token_answer)
    shop.ever_slower = ever_slower
    caller = Caller(
        shop,
        Tokens(ACCESS, {**SIGN_IN, "kind": kind}, shop, clock),
        Governor({}, clock),
        Backoff(settings, SeededStreams(1).stream("b")),
        behaviour={},
        clock=clock,
        settings=settings,
        manners=Manners(),
    )
    call = caller.read if read else caller.once

    async def story() -> list[Outcome]:
        return await asyncio.gather(*(call("a#op", THING) for _ in range(callers)))

    return run_virtual(story, clock=clock, limit_s=100_000), shop, clock.now_us() / 1e6


def test_many_callers_without_a_token_share_one_request_for_it() -> None:
    outcomes, shop, _ = play(ok, callers=8)

    assert {o.ending for o in outcomes} == {Ending.OK}
    assert shop.issued == 1
    assert {token for _, token in shop.calls} == {"t1"}


@pytest.mark.parametrize("refusal", [401, 403])
@pytest.mark.parametrize("ever_slower", [False, True], ids=["together", "one by one"])
def test_many_callers_refused_with_one_old_token_share_one_renewal(
    refusal: int, ever_slower: bool
) -> None:
    def old_token_is_refused(_number: int, token: str | None) -> HttpResponse:
        return status(refusal) if token == "t1" else status(200)

    outcomes, shop, _ = play(old_token_is_refused, callers=5, ever_slower=ever_slower)

    assert {o.ending for o in outcomes} == {Ending.OK}
    assert shop.issued == 2
    assert [token for _, token in shop.calls] == ["t1"] * 5 + ["t2"] * 5


def test_a_refusal_of_the_new_token_too_ends_the_call_and_blames_no_record() -> None:
    (outcome,), shop, _ = play(lambda _n, _t: status(401), read=False)

    assert outcome.ending is Ending.NO_EFFECT
    assert (shop.issued, len(shop.calls)) == (2, 2)


def test_a_system_without_sign_in_is_asked_for_no_token() -> None:
    (outcome,), shop, _ = play(lambda _n, _t: status(403), kind="none", read=False)

    assert outcome.ending is Ending.REFUSED
    assert (shop.issued, len(shop.calls)) == (0, 1)


@pytest.mark.parametrize("answer", [b"[]", b"no json", b'{"access_token": 5}', b"{}"])
def test_a_token_answer_without_a_token_calls_nothing(answer: bytes) -> None:
    (outcome,), shop, _ = play(ok, read=False, token_answer=answer)

    assert outcome.ending is Ending.NO_EFFECT
    assert shop.calls == []


@pytest.mark.parametrize("lifetime", [b'"soon"', b"null", b"[1]"])
def test_a_lifetime_nobody_can_read_is_taken_for_an_hour(lifetime: bytes) -> None:
    answer = b'{"access_token":"t1","expires_in":%s}' % lifetime
    (outcome,), shop, _ = play(ok, token_answer=answer)

    assert outcome.ending is Ending.OK
    assert shop.issued == 1


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(code: int) -> None:
    def refused_once(number: int, _token: str | None) -> HttpResponse:
        return status(code, ("retry-after", "1700")) if number == 1 else status(200)

    (outcome,), shop, _ = play(refused_once)

    assert outcome.ending is Ending.OK
    (first, _), (second, _) = shop.calls
    assert second - first == 1701  # the answer takes a second, then what it asked for


@pytest.mark.parametrize("text", ["soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "1e99", "nan"])
def test_a_retry_after_that_makes_no_sense_does_not_stop_the_engine(text: str) -> None:
    def refused_once(number: int, _token: str | None) -> HttpResponse:
        return status(429, ("retry-after", text)) if number == 1 else status(200)

    (outcome,), _, ended_s = play(refused_once)

    assert outcome.ending is Ending.OK
    assert 1 < ended_s < Settings().backoff_ceiling_s + 10


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (status(404), Ending.ABSENT),
        (status(400), Ending.REFUSED),
        (status(301), Ending.REFUSED),
        (status(429), Ending.THROTTLED),
        (status(409), Ending.UNKNOWN),
        (status(500), Ending.UNKNOWN),
        (HttpResponse(200, JSON, b"<html>"), Ending.UNKNOWN),
        (HttpResponse(204), Ending.OK),
        (AnswerLost("lost"), Ending.UNKNOWN),
        (ConnectFailed("refused"), Ending.NO_EFFECT),
    ],
)
def test_each_way_to_end_has_its_name_and_a_single_call_is_sent_once(
    answer: HttpResponse | TransportError, ending: Ending
) -> None:
    (outcome,), shop, _ = play(lambda _n, _t: answer, read=False)

    assert outcome.ending is ending
    assert len(shop.calls) == 1


def test_a_read_gives_up_after_its_attempts() -> None:
    (outcome,), shop, _ = play(lambda _n, _t: status(500))

    assert outcome.ending is Ending.UNKNOWN
    assert len(shop.calls) == Settings().read_attempts


def test_a_token_is_renewed_a_minute_before_it_ends() -> None:
    clock = VirtualClock(0)
    shop = Shop(clock, ok, None)
    tokens = Tokens(ACCESS, SIGN_IN, shop, clock)
    seen: list[str] = []

    async def story() -> None:
        for at_s in (0, 3539, 3545):
            clock.advance_us(max(0, at_s * 1_000_000 - clock.now_us()))
            seen.append(dict(await tokens.header())["x-token"])
        shop.token_answer = b"no"
        with pytest.raises(NoToken):
            await tokens.refresh(tokens.current)

    run_virtual(story, clock=clock, limit_s=10_000)
    assert seen == ["t1", "t1", "t2"]
