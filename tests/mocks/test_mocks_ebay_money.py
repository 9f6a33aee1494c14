"""Proves that the eBay simulator's money adds up and that its notifications can be trusted.

Refunds, returns and payouts are followed to the cent; notifications are challenged, signed,
repeated and given up as declared, in virtual time.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.model.contract import Operation
from harness.model.exchange import HttpRequest, HttpResponse
from harness.simulation.loop import run_virtual
from mocks.kit.elliptic import PublicKey


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


selling = _load("test_mocks_ebay")
Shop, ORDERS, RETURNS = selling.Shop, selling.ORDERS, selling.RETURNS

PAYOUTS = "/sell/finances/v1/payout"
MOVEMENTS = "/sell/finances/v1/transaction"
FUNDS = "/sell/finances/v1/seller_funds_summary"
DESTINATIONS = "/commerce/notification/v1/destination"
SUBSCRIPTIONS = "/commerce/notification/v1/subscription"
ENDPOINT = "https://engine.test/hooks/ebay"
VERIFICATION = "a-token-of-at-least-thirty-two-letters"


def refund(shop: Any, order_id: str, body: Any, **headers: str) -> HttpResponse:
    answer: HttpResponse = shop.call(
        "POST",
        f"{ORDERS}/{order_id}/issue_refund",
        {"reasonForRefund": "BUYER_RETURN", **body},
        **headers,
    )
    return answer


def whole(value: str, currency: str = "USD") -> dict[str, Any]:
    return {"orderLevelRefundAmount": {"value": value, "currency": currency}}


def next_day(shop: Any) -> None:
    shop.pass_seconds(86_400)
    shop.tokens.clear()


def signed(row: Any) -> Decimal:
    value = Decimal(row["amount"]["value"])
    assert value >= 0
    return value if row["bookingEntry"] == "CREDIT" else -value


def check_payouts(shop: Any) -> Decimal:
    """Hold every payout against its transactions and return what was paid out in all."""
    total = Decimal(0)
    for payout in shop.read(PAYOUTS)["payouts"]:
        rows = shop.read(MOVEMENTS, filter=f"payoutId:{{{payout['payoutId']}}}", limit=1000)
        assert len(rows["transactions"]) == payout["transactionCount"]
        assert sum(map(signed, rows["transactions"])) == Decimal(payout["amount"]["value"])
        assert {row["transactionStatus"] for row in rows["transactions"]} == {"PAYOUT"}
        total += Decimal(payout["amount"]["value"])
    return total


# Money


def test_from_order_to_refund_the_payouts_reconcile_to_the_cent() -> None:
    shop = Shop()
    assert shop.call("GET", MOVEMENTS).status == 204
    assert shop.call("GET", FUNDS).status == 204
    first = shop.buy(("MUG", 3), price="9.99")
    shop.buy(("KETTLE", 1), price="34.50")
    rows = shop.read(MOVEMENTS)["transactions"]
    assert {row["transactionStatus"] for row in rows} == {"FUNDS_AVAILABLE_FOR_PAYOUT"}
    sale = next(row for row in rows if row["orderId"] == first)
    assert (sale["amount"]["value"], sale["totalFeeAmount"]["value"]) == ("26.07", "3.9")
    assert shop.read(FUNDS)["availableFunds"]["value"] == "56.08"
    next_day(shop)
    assert check_payouts(shop) == Decimal("56.08")
    assert refund(shop, first, whole("9.99")).json()["refundStatus"] == "PENDING"
    assert shop.order(first)["orderPaymentStatus"] == "PAID"
    shop.pass_seconds(60)
    assert shop.order(first)["orderPaymentStatus"] == "PARTIALLY_REFUNDED"
    assert shop.order(first)["paymentSummary"]["refunds"][0]["refundStatus"] == "REFUNDED"
    next_day(shop)
    assert len(shop.read(PAYOUTS)["payouts"]) == 1  # a debt is carried, not paid
    shop.buy(("MUG", 2), price="20.00")
    next_day(shop)
    assert check_payouts(shop) == Decimal("56.08") - Decimal("8.69") + Decimal("34.80")
    payouts = shop.read(PAYOUTS)["payouts"]
    one = shop.read(f"{PAYOUTS}/{payouts[0]['payoutId']}")
    assert (one["payoutStatus"], one["transactionCount"]) == ("SUCCEEDED", 2)
    assert shop.call("GET", FUNDS).status == 204


def test_all_refunds_of_an_order_together_give_back_its_fee_to_the_cent() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 1), price="10.01")
    for part in ("3.33", "3.34", "3.34"):
        assert refund(shop, order_id, whole(part)).status == 200
    shop.pass_seconds(60)
    assert shop.order(order_id)["orderPaymentStatus"] == "FULLY_REFUNDED"
    assert sum(map(signed, shop.read(MOVEMENTS)["transactions"])) == 0
    kept = Shop(refund_returns_fee=False)
    order_id = kept.buy(("MUG", 1), price="10.00")
    refund(kept, order_id, whole("10.00"))
    kept.pass_seconds(60)
    assert sum(map(signed, kept.read(MOVEMENTS)["transactions"])) == Decimal("-1.30")


@pytest.mark.parametrize(("manner", "status", "paid"), [("accept", 200, 2), ("refuse", 400, 1)])
def test_a_repeated_refund_is_paid_twice_unless_refused(
    manner: str, status: int, paid: int
) -> None:
    shop = Shop(refund_repeat=manner)
    order_id = shop.buy(("MUG", 2), price="10.00")
    assert refund(shop, order_id, whole("5.00")).status == 200
    assert refund(shop, order_id, whole("5.00")).status == status
    shop.pass_seconds(60)
    rows = shop.read(MOVEMENTS, filter="transactionType:{REFUND}")["transactions"]
    assert [row["bookingEntry"] for row in rows] == ["DEBIT"] * paid


def test_wrong_refunds_are_refused() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 2), ("KETTLE", 1), price="10.00")
    line = shop.order(order_id)["lineItems"][0]["lineItemId"]
    amount = {"value": "10.00", "currency": "USD"}
    lines = [{"lineItemId": line, "refundAmount": amount}]
    for wrong in (
        whole("30.01"),
        whole("0.00"),
        whole("1.00", "EUR"),
        {},
        {**whole("1.00"), "refundItems": lines},
        {"refundItems": [{"lineItemId": "17", "refundAmount": amount}]},
        {"refundItems": lines * 3},
    ):
        answer = refund(shop, order_id, wrong)
        assert (answer.status, answer.json()["errors"][0]["errorId"]) == (400, 30700), wrong
    assert refund(shop, order_id, {"refundItems": lines}).status == 200
    assert refund(shop, order_id, whole("20.01")).status == 400


def test_currencies_never_mix_and_yen_have_no_cents() -> None:
    shop = Shop()
    shop.buy(("MUG", 1), price="10.00")
    yen = shop.buy(("MUG", 1), price="1500", currency="JPY")
    assert shop.order(yen)["pricingSummary"]["total"] == {"value": "1500.0", "currency": "JPY"}
    next_day(shop)
    amounts = [payout["amount"] for payout in shop.read(PAYOUTS)["payouts"]]
    assert {(a["value"], a["currency"]) for a in amounts} == {("8.7", "USD"), ("1305.0", "JPY")}


def test_lists_of_money_are_filtered_sorted_and_paged() -> None:
    shop = Shop()
    ids = []
    for _ in range(3):
        ids.append(shop.buy(("MUG", 1)))
        next_day(shop)
    page = shop.read(MOVEMENTS, limit=2)
    assert [row["orderId"] for row in page["transactions"]] == [ids[2], ids[1]]
    assert (page["total"], page["next"].endswith("limit=2&offset=2")) == (3, True)
    rows = shop.read(MOVEMENTS, sort="transactionDate")["transactions"]
    assert [row["orderId"] for row in rows] == ids
    query = "transactionDate:[2026-11-21T00:00:00.000Z..2026-11-22T00:00:00.000Z]"
    assert shop.read(MOVEMENTS, filter=query)["transactions"][0]["orderId"] == ids[1]
    assert shop.call("GET", MOVEMENTS, None, {"filter": "orderId:{17}"}).status == 204
    assert shop.call("GET", PAYOUTS, None, {"filter": "payoutStatus:{REVERSED}"}).status == 204
    assert shop.read(PAYOUTS, filter="payoutDate:[2026-11-22T00:00:00.000Z..]")["total"] == 2
    assert shop.call("GET", PAYOUTS, None, {"sort": "amount"}).status == 400
    shop.pass_seconds(91 * 86_400)
    shop.tokens.clear()
    assert shop.call("GET", MOVEMENTS).status == 204
    assert shop.read(MOVEMENTS, filter="transactionDate:[2026-11-01T00:00:00.000Z..]")["total"] == 3


def test_sellers_who_must_sign_are_refused_without_a_signature() -> None:
    shop = Shop(message_signatures_required=True)
    order_id = shop.buy(("MUG", 1))
    assert shop.call("GET", PAYOUTS).status == 403
    assert refund(shop, order_id, whole("1.00")).status == 403
    with_all = {"signature": "s", "signature_input": "i", "x_ebay_signature_key": "k"}
    assert shop.call("GET", MOVEMENTS, **with_all).status == 200
    assert shop.order(order_id)["orderPaymentStatus"] == "PAID"


# Returns


def delivered(shop: Any) -> tuple[str, str]:
    order_id = shop.buy(("MUG", 3), price="10.00")
    line = shop.order(order_id)["lineItems"][0]["lineItemId"]
    assert shop.ship(order_id, [{"lineItemId": line}]).status == 201
    return order_id, line


def test_a_return_is_accepted_received_and_refunded() -> None:
    shop = Shop()
    order_id, line = delivered(shop)
    made = shop.ebay.open_return(order_id, line, 1, shop.now_us)
    [shown] = shop.read(f"{RETURNS}/search", order_id=order_id)["members"]
    assert (shown["state"], shown["creationInfo"]["item"]["returnQuantity"]) == (
        "RETURN_REQUESTED",
        1,
    )
    assert shown["sellerTotalRefund"]["estimatedRefundAmount"] == {"value": 10.0, "currency": "USD"}
    act = f"{RETURNS}/{made}"
    assert shop.call("POST", f"{act}/mark_as_received", {}).status == 400
    unfit: tuple[dict[str, Any], ...] = ({"decision": "MAYBE"}, {"decision": {}}, {})
    for wrong in unfit:
        assert shop.call("POST", f"{act}/decide", wrong).status == 400
    assert shop.call("POST", f"{act}/decide", {"decision": "ACCEPT"}).status == 200
    assert shop.call("POST", f"{act}/mark_as_received", {}).status == 200
    money = {"refundDetail": {"totalAmount": {"value": 10.0, "currency": "EUR"}}}
    assert shop.call("POST", f"{act}/issue_refund", money).status == 400
    money["refundDetail"]["totalAmount"]["currency"] = "USD"
    for wrong_amount in (1e308, 1e-7, -1, True, "10"):
        odd = {"refundDetail": {"totalAmount": {"value": wrong_amount, "currency": "USD"}}}
        assert shop.call("POST", f"{act}/issue_refund", odd).status == 400
    answer = shop.call("POST", f"{act}/issue_refund", money)
    assert answer.json() == {"refundStatus": "PENDING"}
    assert shop.call("POST", f"{act}/issue_refund", money).status == 200  # and once more
    shop.pass_seconds(60)
    [shown] = shop.read(f"{RETURNS}/search", return_state="CLOSED")["members"]
    assert shown["sellerTotalRefund"]["actualRefundAmount"]["value"] == 20.0
    assert shop.order(order_id)["orderPaymentStatus"] == "PARTIALLY_REFUNDED"


def test_returns_are_paged_by_number_and_may_be_declined() -> None:
    shop = Shop()
    order_id, line = delivered(shop)
    first = shop.ebay.open_return(order_id, line, 1, shop.now_us)
    shop.pass_seconds(60)
    second = shop.ebay.open_return(order_id, line, 2, shop.now_us)
    with pytest.raises(ValueError, match="0 units"):
        shop.ebay.open_return(order_id, line, 1, shop.now_us)
    page = shop.read(f"{RETURNS}/search", limit=1, offset=2)
    assert [made["returnId"] for made in page["members"]] == [first]
    assert page["paginationOutput"]["totalPages"] == 2
    since = {"creation_date_range_from": "2026-11-20T10:00:30.000Z"}
    [late] = shop.read(f"{RETURNS}/search", **since)["members"]
    assert late["returnId"] == second
    before = {"creation_date_range_to": "2026-11-20T10:00:30.000Z"}
    assert shop.read(f"{RETURNS}/search", **before)["total"] == 1
    wrong = shop.call("GET", f"{RETURNS}/search", None, {"creation_date_range_to": "soon"})
    assert wrong.status == 400
    assert shop.call("POST", f"{RETURNS}/{first}/decide", {"decision": "DECLINE"}).status == 200
    assert shop.call("POST", f"{RETURNS}/{first}/issue_refund", {}).status == 400


# Notifications


class Engine:
    """Answers challenges, rightly or not, and keeps what arrives."""

    def __init__(self, *, status: int = 204, honest: bool = True) -> None:
        self.got: list[HttpRequest] = []
        self.status = status
        self.honest = honest

    def __call__(self, request: HttpRequest) -> HttpResponse | int:
        if request.method == "GET":
            challenge = dict(request.query)["challenge_code"]
            text = f"{challenge}{VERIFICATION if self.honest else 'guess'}{ENDPOINT}"
            return HttpResponse(
                200,
                (("content-type", "application/json"),),
                json.dumps(
                    {"challengeResponse": hashlib.sha256(text.encode()).hexdigest()}
                ).encode(),
            )
        self.got.append(request)
        return self.status


def listening(
    engine: Engine, story: Callable[[Any, Callable[..., Any]], Coroutine[Any, Any, None]]
) -> None:
    """Run a story in virtual time with ``engine`` listening; ``ask`` calls as the seller."""
    shop = Shop()
    shop.estate.receivers.register(engine, "https://engine.test")
    shop.request("GET", ORDERS)  # fetches the token

    async def ask(method: str, path: str, *parts: Any) -> HttpResponse:
        plan = await shop.edge.exchange(shop.request(method, path, *parts))
        assert shop.estate.failures == []
        answer: HttpResponse = plan.response
        return answer

    async def main() -> None:
        await story(shop, ask)
        assert shop.estate.failures == []

    run_virtual(main, clock=shop.clock, limit_s=10**6)


def destination(**more: Any) -> dict[str, Any]:
    config = {"endpoint": ENDPOINT, "verificationToken": VERIFICATION}
    return {"name": "engine", "status": "ENABLED", "deliveryConfig": config, **more}


def subscription(answer: HttpResponse, topic: str = "ORDER_CONFIRMATION") -> dict[str, Any]:
    made = (answer.header("location") or "").rsplit("/", 1)[-1]
    payload = {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"}
    return {"topicId": topic, "status": "ENABLED", "destinationId": made, "payload": payload}


def key_of(pem: str) -> PublicKey:
    text = pem.removeprefix("-----BEGIN PUBLIC KEY-----").removesuffix("-----END PUBLIC KEY-----")
    point = base64.b64decode(text)[-64:]
    return PublicKey(int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"))


def halves(der: bytes) -> tuple[int, int]:
    r = der[4 : 4 + der[3]]
    return int.from_bytes(r, "big"), int.from_bytes(der[4 + der[3] + 2 :], "big")


def test_a_notification_is_challenged_signed_and_sent_for_each_line() -> None:
    engine = Engine()

    async def story(shop: Any, ask: Callable[..., Any]) -> None:
        made = await ask("POST", DESTINATIONS, destination())
        assert made.status == 201
        assert (await ask("POST", DESTINATIONS, destination())).status == 409
        assert (await ask("POST", SUBSCRIPTIONS, subscription(made))).status == 201
        assert (await ask("POST", SUBSCRIPTIONS, subscription(made))).status == 409
        assert (await ask("POST", SUBSCRIPTIONS, subscription(made, "NONE"))).status == 400
        gone = {**subscription(made), "destinationId": "nowhere"}
        assert (await ask("POST", SUBSCRIPTIONS, gone)).status == 400
        deletion = subscription(made, "MARKETPLACE_ACCOUNT_DELETION")
        assert (await ask("POST", SUBSCRIPTIONS, deletion)).status == 201
        listed = (await ask("GET", SUBSCRIPTIONS, None, {"limit": 1})).json()
        assert (listed["total"], len(listed["subscriptions"])) == (2, 1)
        order_id = shop.buy(("MUG", 1), ("KETTLE", 1))
        await ask("GET", ORDERS)
        await shop.edge.courier.idle()
        bodies = [request.json() for request in engine.got]
        assert [b["notification"]["data"]["orderId"] for b in bodies] == [order_id] * 2
        assert bodies[0]["notification"]["publishAttemptCount"] == 1
        request = engine.got[0]
        facts = json.loads(base64.b64decode(request.header("x-ebay-signature") or ""))
        path = f"/commerce/notification/v1/public_key/{facts['kid']}"
        key = (await ask("GET", path)).json()
        assert (key["algorithm"], key["digest"]) == ("ECDSA", "SHA1")
        r, s = halves(base64.b64decode(facts["signature"]))
        assert key_of(key["key"]).verifies(request.body, r, s, hash_name="sha1")
        assert not key_of(key["key"]).verifies(request.body + b" ", r, s, hash_name="sha1")
        user = (await ask("GET", f"{ORDERS}/{order_id}")).json()["buyer"]["username"]
        assert shop.ebay.delete_user(user, shop.now_us) == 1
        shown = (await ask("GET", f"{ORDERS}/{order_id}")).json()
        await shop.edge.courier.idle()
        assert user not in json.dumps(shown)
        assert engine.got[-1].json()["notification"]["data"]["username"] == user

    listening(engine, story)


def test_a_destination_that_fails_its_challenge_is_never_made() -> None:
    async def story(shop: Any, ask: Callable[..., Any]) -> None:
        assert (await ask("POST", DESTINATIONS, destination())).status == 400
        plain = {"endpoint": "http://engine.test/x", "verificationToken": VERIFICATION}
        assert (await ask("POST", DESTINATIONS, destination(deliveryConfig=plain))).status == 400
        assert (await ask("GET", DESTINATIONS)).json()["total"] == 0

    listening(Engine(honest=False), story)


def test_a_destination_that_keeps_failing_is_marked_down() -> None:
    engine = Engine(status=500)

    async def story(shop: Any, ask: Callable[..., Any]) -> None:
        made = await ask("POST", DESTINATIONS, destination())
        await ask("POST", SUBSCRIPTIONS, subscription(made))
        for _ in range(2):
            shop.buy(("MUG", 1))
            await ask("GET", ORDERS)
            await shop.edge.courier.idle()
        counts = [r.json()["notification"]["publishAttemptCount"] for r in engine.got]
        assert counts == [1, 2, 3, 1, 2]  # the fifth failure in a row ends it
        [shown] = (await ask("GET", DESTINATIONS)).json()["destinations"]
        assert shown["status"] == "MARKED_DOWN"
        assert (await ask("GET", SUBSCRIPTIONS)).json()["total"] == 0
        assert (await ask("POST", SUBSCRIPTIONS, subscription(made))).status == 409

    listening(engine, story)


def test_nothing_is_sent_to_what_is_disabled() -> None:
    engine = Engine()

    async def story(shop: Any, ask: Callable[..., Any]) -> None:
        made = await ask("POST", DESTINATIONS, destination())
        off = {**subscription(made), "status": "DISABLED"}
        assert (await ask("POST", SUBSCRIPTIONS, off)).status == 201
        shop.buy(("MUG", 1))
        await ask("GET", ORDERS)
        await shop.edge.courier.idle()
        [shown] = (await ask("GET", SUBSCRIPTIONS)).json()["subscriptions"]
        assert shown["status"] == "DISABLED"
        assert engine.got == []

    listening(engine, story)


# The whole contract


def test_every_operation_of_every_contract_is_imitated() -> None:
    shop = Shop()
    missing = [
        f"{api}#{operation.operation_id}"
        for api, contract in shop.ebay.setup.contracts.items()
        for operation in contract.operations
        if not _answered(shop, api, operation)
    ]
    assert missing == []


def _answered(shop: Any, api: str, operation: Operation) -> bool:
    if operation.path == shop.edge.tokens.token_path:
        return True  # the kit's own
    return shop.ebay.handler(api, operation.operation_id) is not None


PACKS = sorted((selling.contracts_root().path / "ebay" / "drift").glob("*.yaml"))


@pytest.mark.parametrize("name", [pack.stem for pack in PACKS])
def test_a_drift_pack_changes_what_is_answered_and_its_end_changes_it_back(name: str) -> None:
    pack = selling.Catalog(selling.contracts_root()).drift_pack("ebay", name)
    addresses = [address for change in pack["changes"] for address in change["operations"]]
    shop = Shop(serves=dict(address.partition("#")[0].split("/") for address in addresses))
    ids = [shop.buy(("MUG", 1)) for _ in range(6)]
    next_day(shop)
    paths = [ORDERS, f"{ORDERS}/{ids[0]}", MOVEMENTS, PAYOUTS, selling.ITEMS]
    paths += [f"{selling.ITEMS}/MUG", f"{selling.OFFERS}?sku=MUG"]

    def answers() -> list[bytes]:
        shown = []
        for path in paths:
            at, _, sku = path.partition("?sku=")
            answer = shop.call("GET", at, None, {"sku": sku} if sku else {})
            assert answer.status == 200
            shown.append(answer.body)
        return shown

    before = answers()
    shop.edge.switch_drift_pack(pack)
    assert answers() != before
    shop.edge.switch_drift_pack(None)
    assert answers() == before
