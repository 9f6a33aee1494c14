"""Proves that events are subscribed, signed, delivered, retried and lost as declared only."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.model.exchange import HttpRequest, HttpResponse
from harness.simulation.clock import SystemClock
from harness.simulation.faults import FaultKind, FaultRule
from mocks.kit.elliptic import PrivateKey, PublicKey, public_key_der, to_der
from mocks.kit.posting import Queue, StatusPoster, WirePoster, asgi_receiver
from mocks.kit.wire import WireServer


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


manners = _load("toy_manners")
Market, play = manners.Market.of, manners.play


TOPIC = "items/changed"
URL = "https://engine.test/hooks?team=1"


def events(**more: Any) -> dict[str, Any]:
    return {"events": {"topics": [{"topic": TOPIC, "contract": "shop/v1#itemChanged"}], **more}}


class Receiver:
    """Keeps what arrives; answers with the statuses given, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses) or [200]
        self.got: list[HttpRequest] = []

    def __call__(self, request: HttpRequest) -> int:
        self.got.append(request)
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    @property
    def ids(self) -> list[str]:
        return [request.json()["id"] for request in self.got]


async def subscribed(m: Any, receiver: Any, url: str = URL) -> Any:
    m.edge.courier.receivers.register(receiver, "https://engine.test")
    return await m.call("POST", "/hooks", {"topic": TOPIC, "url": url})


def tell(
    behaviour: dict[str, Any],
    receiver: Any,
    *,
    items: int = 1,
    wait_s: float = 10_000,
    market: Any = None,
    **options: Any,
) -> Any:
    """Subscribe, change items one second apart, wait, and return the market."""
    market = market or Market(behaviour, check_answers=True, **options)

    async def story(m: Any) -> None:
        assert (await subscribed(m, receiver)).status == 201
        for number in range(items):
            m.simulator.put(f"I{number}", m.clock.now_us())
            await m.clock.sleep(1)
        await m.clock.sleep(wait_s)

    play(market, story)
    return market


def outcomes(market: Any) -> list[tuple[int, str]]:
    return [(d.attempt, d.outcome) for d in market.books.deliveries]


def test_an_event_is_delivered_once_to_the_address_with_its_query_and_booked() -> None:
    receiver = Receiver()
    market = tell(events(), receiver)
    (request,) = receiver.got
    assert (request.method, request.target(), request.json()) == (
        "POST",
        "/hooks?team=1",
        {"id": "I0"},
    )
    assert outcomes(market) == [(1, "delivered")]
    assert request.header("content-type") == "application/json"


def test_nothing_is_sent_without_a_declaration_a_subscription_or_for_another_account() -> None:
    async def story(m: Any) -> list[Any]:
        m.simulator.put("A", m.clock.now_us())
        await m.clock.sleep(10)
        return list(m.books.deliveries)

    assert play(Market({}), story) == []
    assert play(Market(events()), story) == []

    async def other(m: Any) -> list[Any]:
        await subscribed(m, Receiver())
        m.simulator.put("A", m.clock.now_us(), account="somebody")
        await m.clock.sleep(10)
        return list(m.books.deliveries)

    assert play(Market(events()), other) == []


def test_subscriptions_end_by_request_by_age_and_have_a_limit() -> None:
    receiver = Receiver()
    market = Market(events(subscription_seconds=100, subscriptions_max=2))

    async def story(m: Any) -> list[int]:
        made = await subscribed(m, receiver)
        await subscribed(m, receiver)
        statuses = [(await subscribed(m, receiver)).status]
        gone = await m.call("DELETE", f"/hooks/{made.json()['id']}")
        again = await m.call("DELETE", f"/hooks/{made.json()['id']}")
        wrong = await m.call("POST", "/hooks", {"topic": "nothing", "url": URL})
        m.simulator.put("A", m.clock.now_us())
        await m.clock.sleep(101)
        m.simulator.put("B", m.clock.now_us())
        await m.clock.sleep(10)
        return [*statuses, gone.status, again.status, wrong.status]

    assert play(market, story) == [400, 204, 404, 400]
    assert receiver.ids == ["A"]


def test_the_same_topic_and_address_twice_is_a_conflict_only_where_declared() -> None:
    async def story(m: Any) -> int:
        await subscribed(m, Receiver())
        return int((await subscribed(m, Receiver())).status)

    assert play(Market(events(one_per_topic_and_url=True)), story) == 409
    assert play(Market(events()), story) == 201


def test_a_failed_delivery_is_tried_again_on_schedule_with_the_old_body() -> None:
    receiver = Receiver(500, 302, 200)
    market = tell(events(retries_ms=[1000, 5000]), receiver)
    assert outcomes(market) == [(1, "failed"), (2, "failed"), (3, "delivered")]
    times = [d.at_us - market.books.deliveries[0].at_us for d in market.books.deliveries]
    assert times == [0, 1_000_000, 6_000_000]
    assert len({request.body for request in receiver.got}) == 1
    assert len({d.event_id for d in market.books.deliveries}) == 1
    assert outcomes(tell(events(), Receiver(500))) == [(1, "failed")]


def test_a_receiver_that_answers_too_late_or_not_at_all_has_not_taken_the_event() -> None:
    async def slow(_request: HttpRequest) -> int:
        await asyncio.sleep(6)
        return 200

    assert outcomes(tell(events(timeout_ms=5000), slow)) == [(1, "timed_out")]
    assert outcomes(tell(events(timeout_ms=7000), slow)) == [(1, "delivered")]

    async def nobody(m: Any) -> Any:
        await m.call("POST", "/hooks", {"topic": TOPIC, "url": "https://nobody.test/"})
        m.simulator.put("A", m.clock.now_us())
        await m.clock.sleep(10)
        return outcomes(m)

    assert play(Market(events()), nobody) == [(1, "unreachable")]


def test_a_subscription_is_removed_after_the_declared_failures_in_a_row() -> None:
    declared = {"retries_ms": [1000] * 5, "remove": {"after_failures": 3}}
    receiver = Receiver(500)
    market = tell(events(**declared), receiver, items=2)
    assert len(receiver.got) == 3
    assert market.simulator.manners.events.subscriptions("seller", market.clock.now_us()) == []
    healing = Receiver(500, 500, 200, 500, 500, 200)
    market = tell(events(**declared), healing, items=2)
    assert len(market.simulator.manners.events.subscriptions("seller", 0)) == 1
    without = {"retries_ms": [1000] * 5}
    assert len(tell(events(**without), Receiver(500), items=2).books.deliveries) == 12


def test_only_the_declared_failures_are_retried_and_others_may_end_the_subscription() -> None:
    declared = {"retries_ms": [1000, 1000], "retry_on": ["408", "429", "5XX", "timeout"]}
    ends = {**declared, "remove": {"on_other_failures": True}}
    assert len(tell(events(**declared), Receiver(503)).books.deliveries) == 3
    assert len(tell(events(**declared), Receiver(404), items=2).books.deliveries) == 2
    assert len(tell(events(**ends), Receiver(404), items=2).books.deliveries) == 1


@pytest.mark.parametrize(
    ("manner", "fault"),
    [
        ({"duplicate_share": 1}, FaultKind.EVENT_DUPLICATED),
        ({"loss_share": 1}, FaultKind.EVENT_LOST),
        ({"disorder": {"share": 0.5, "delay_ms": 9000}}, FaultKind.EVENT_DELAYED),
    ],
)
def test_duplicates_losses_and_disorder_come_by_manner_or_fault_and_else_never(
    manner: dict[str, Any], fault: FaultKind
) -> None:
    delayed = {"delay_ms": 9000} if fault is FaultKind.EVENT_DELAYED else {}
    rule = FaultRule(fault, operations=(TOPIC,), probability=0.5, parameters=delayed)

    def seen(behaviour: dict[str, Any], **options: Any) -> list[str]:
        receiver = Receiver()
        tell(behaviour, receiver, items=8, **options)
        return receiver.ids

    plain = [f"I{n}" for n in range(8)]
    by_manner, by_fault = seen(events(**manner)), seen(events(), rules=(rule,))
    assert seen(events()) == plain
    for ids in (by_manner, by_fault):
        if fault is FaultKind.EVENT_DUPLICATED:
            assert sorted(set(ids)) == plain
            assert len(ids) > len(plain)
        elif fault is FaultKind.EVENT_LOST:
            assert len(ids) < len(plain)
        else:
            assert sorted(ids) == plain != ids
    assert seen(events(**manner)) == by_manner


def test_a_duplicate_has_the_event_id_of_the_first_and_another_delivery_id() -> None:
    deliveries = tell(events(duplicate_share=1), Receiver()).books.deliveries
    assert len(deliveries) == 2
    assert len({d.event_id for d in deliveries}) == 1
    assert len({d.delivery_id for d in deliveries}) == 2


def test_declared_headers_show_the_facts_of_a_delivery() -> None:
    headers = {
        "X-Topic": "topic",
        "X-Event": "event_id",
        "X-Delivery": "delivery_id",
        "X-Try": "attempt",
        "X-Shop": "host",
        "X-Version": "=2026-10",
    }
    receiver = Receiver()
    market = tell(events(headers=headers), receiver)
    (request,), (delivery,) = receiver.got, market.books.deliveries
    shown = [request.header(name) for name in headers]
    expected = [TOPIC, delivery.event_id, delivery.delivery_id, "1", "seller.toy_shop.test"]
    assert shown == [*expected, "2026-10"]
    plain = Receiver()
    tell(events(), plain)
    assert [name for name, _ in plain.got[0].headers] == ["content-type"]


@pytest.mark.parametrize(("encoding", "forged"), [("base64", False), ("hex", False), ("hex", True)])
def test_an_hmac_signature_fits_the_raw_body_unless_a_fault_forges_it(
    encoding: str, forged: bool
) -> None:
    signature = {"kind": "hmac_sha256", "header": "X-Hmac", "encoding": encoding}
    rules = (FaultRule(FaultKind.EVENT_FORGED),) if forged else ()
    receiver = Receiver()
    tell(events(signature=signature), receiver, rules=rules)
    (request,) = receiver.got
    digest = hmac.digest(b"hush", request.body, "sha256")
    wanted = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert (request.header("x-hmac") == wanted) is not forged


def test_a_signature_may_cover_method_target_time_and_hash() -> None:
    over = ["method", "target", "timestamp", "body_sha256"]
    signature = {"kind": "hmac_sha256", "header": "S", "over": over, "timestamp_header": "T"}
    receiver = Receiver()
    tell(events(signature=signature), receiver)
    (request,) = receiver.got
    stamp = request.header("t") or ""
    text = f"POST\n/hooks?team=1\n{stamp}\n{hashlib.sha256(request.body).hexdigest()}"
    digest = hmac.digest(b"hush", text.encode(), "sha256")
    assert request.header("s") == base64.b64encode(digest).decode()


def test_an_ecdsa_signature_fits_the_published_key_and_names_it() -> None:
    receiver = Receiver()
    signature = {"kind": "ecdsa_p256", "header": "X-Signature", "digest": "SHA1"}
    market = tell(events(signature=signature), receiver)
    (request,) = receiver.got
    facts = json.loads(base64.b64decode(request.header("x-signature") or ""))
    signer = market.edge.courier.signer
    assert (facts["alg"], facts["kid"], facts["digest"]) == ("ecdsa", signer.key_id, "SHA1")
    r, s = _from_der(base64.b64decode(facts["signature"]))
    key = signer.public_key
    assert key is not None
    assert key.verifies(request.body, r, s, hash_name="sha1")
    assert not key.verifies(request.body + b" ", r, s, hash_name="sha1")
    assert len(public_key_der(key)) == 91


def _from_der(der: bytes) -> tuple[int, int]:
    assert der[0] == 0x30
    length = der[3]
    r, rest = der[4 : 4 + length], der[4 + length :]
    return int.from_bytes(r, "big"), int.from_bytes(rest[2:], "big")


def test_the_curve_agrees_with_the_published_example() -> None:
    # RFC 6979, A.2.5: P-256 with SHA-256, message "sample".
    key = PrivateKey(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721)
    r, s = key.sign(b"sample")
    assert r == 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    assert s == 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
    assert key.public().verifies(b"sample", r, s)
    assert not key.public().verifies(b"sample", s, r)
    assert not PublicKey(1, 1).verifies(b"sample", r, s)
    assert _from_der(to_der(r, s)) == (r, s)


@pytest.mark.parametrize(
    ("handshake", "reply", "status"),
    [
        ({"kind": "echo", "parameter": "token"}, "echo", 201),
        ({"kind": "echo", "parameter": "token"}, "something else", 400),
        ({"kind": "echo", "parameter": "token", "method": "POST"}, "echo", 201),
        ({"kind": "challenge_sha256", "parameter": "code", "reply": "answer"}, "hash", 201),
        ({"kind": "challenge_sha256", "parameter": "code", "reply": "answer"}, "no json", 400),
        ({"kind": "none"}, "never asked", 201),
    ],
)
def test_a_subscription_needs_the_declared_handshake(
    handshake: dict[str, Any], reply: str, status: int
) -> None:
    asked: list[HttpRequest] = []

    def receiver(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        challenge = request.query_value(handshake.get("parameter", "")) or ""
        digest = hashlib.sha256(f"{challenge}verify-me{URL}".encode()).hexdigest()
        texts = {"echo": challenge, "hash": json.dumps({"answer": digest})}
        return HttpResponse(200, (), texts.get(reply, reply).encode())

    async def story(m: Any) -> tuple[int, int]:
        answer = await subscribed(m, receiver)
        events_now = m.simulator.manners.events
        return answer.status, len(events_now.subscriptions("seller", m.clock.now_us()))

    seen = play(Market(events(handshake=handshake)), story)
    assert seen == (status, 1 if status == 201 else 0)
    assert len(asked) == (0 if handshake["kind"] == "none" else 1)
    assert all(r.method == handshake.get("method", "GET") for r in asked)


@pytest.mark.parametrize("envelope", ["sqs", "eventbridge"])
def test_a_queue_gets_the_event_in_its_envelope_at_least_once(envelope: str) -> None:
    market = Market(events(envelope=envelope))

    async def story(m: Any) -> Any:
        await subscribed(m, Receiver(), url="arn:queue:1")
        m.simulator.put("A", m.clock.now_us())
        await m.clock.sleep(10)
        return m.edge.courier.queues["arn:queue:1"], m.clock.now_us()

    queue, now_us = play(market, story)
    ((handle, message),) = queue.receive(now_us, hide_s=30)
    body = json.loads(message["Body"]) if envelope == "sqs" else message["detail"]
    assert body == {"id": "A"}
    assert queue.receive(now_us + 29_000_000) == []
    assert len(queue.receive(now_us + 31_000_000)) == 1
    assert (queue.delete(handle), queue.delete(handle), len(queue)) == (True, False, 0)
    assert Queue().receive(0) == []


def test_an_event_its_contract_does_not_allow_is_a_bug_that_is_never_sent() -> None:
    receiver = Receiver()
    market = Market(events(), check_answers=True)
    market.simulator.wrong_event = True
    with pytest.raises(AssertionError, match="itemChanged"):
        tell(events(), receiver, market=market)
    assert receiver.got == []
    assert [type(error).__name__ for error in market.edge.failures] == ["WrongAnswerError"]


def test_a_drift_pack_changes_events_too() -> None:
    change = {"operations": ["shop/v1#itemChanged"], "do": "rename", "at": "/id", "to": "key"}
    market = Market(events())
    market.edge.switch_drift_pack({"changes": [change]})
    receiver = Receiver()
    tell(events(), receiver, market=market)
    assert receiver.got[0].json() == {"key": "I0"}


def test_an_asgi_application_receives_and_one_that_raises_has_not_taken_it() -> None:
    bodies: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        bodies.append((await receive())["body"])
        if len(bodies) == 1:
            raise ValueError
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    market = tell(events(retries_ms=[1000]), asgi_receiver(app))
    assert outcomes(market) == [(1, "failed"), (2, "delivered")]


def test_a_world_that_only_returns_statuses_can_receive() -> None:
    taken: list[tuple[str, str]] = []

    async def post(url: str, request: HttpRequest) -> int | None:
        taken.append((url, request.target()))
        return 200 if len(taken) > 1 else None

    market = Market(events(retries_ms=[1000]))
    market.edge.courier.poster = StatusPoster(post)
    tell(events(), Receiver(), market=market)
    assert taken == [("https://engine.test", "/hooks?team=1")] * 2
    assert outcomes(market) == [(1, "unreachable"), (2, "delivered")]


def test_the_same_seed_delivers_the_same_events_at_the_same_instants() -> None:
    def night(seed: int) -> list[Any]:
        manners_ = events(delay_ms=[10, 5000], duplicate_share=0.3, loss_share=0.2)
        return list(tell(manners_, Receiver(), items=6, seed=seed).books.deliveries)

    assert night(5) == night(5)
    assert night(5) != night(6)


def test_on_the_wire_events_reach_a_real_server_on_loopback_and_nothing_else() -> None:
    async def story() -> tuple[list[tuple[int, str]], bytes]:
        got: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            got.append(await reader.readexactly(length))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        market = Market(events(), clock=SystemClock())
        await market.log_in()
        server = WireServer(market.edge)
        await server.start()
        assert isinstance(market.edge.courier.poster, WirePoster)
        for url in (f"http://127.0.0.1:{port}/in", "http://vendor.example/in"):
            await market.call("POST", "/hooks", {"topic": TOPIC, "url": url})
        market.simulator.put("A", market.clock.now_us())
        async with asyncio.timeout(10):
            await market.edge.courier.idle()
        await server.close()
        listening.close()
        await listening.wait_closed()
        return sorted(outcomes(market)), got[0]

    assert asyncio.run(story()) == ([(1, "delivered"), (1, "unreachable")], b'{"id":"A"}')


def test_events_wait_for_a_running_loop_and_too_many_are_an_error_never_a_silence() -> None:
    market = Market(events())
    desk = market.simulator.manners.events
    desk.subscribe("seller", TOPIC, URL, 0)
    for number in range(10_000):
        desk.publish(TOPIC, "seller", {"id": str(number)}, 0)
    with pytest.raises(OverflowError, match="nobody delivers"):
        desk.publish(TOPIC, "seller", {"id": "one more"}, 0)
    while len(desk.outbox) > 3:
        desk.outbox.popleft()
    receiver = Receiver()

    async def story(m: Any) -> None:
        m.edge.courier.receivers.register(receiver, "https://engine.test")
        await m.call("GET", "/items")
        await m.clock.sleep(1)

    play(market, story)
    assert receiver.ids == ["9997", "9998", "9999"]
