"""Proves that stock adds up after every step of any story, and that a seed tells it again."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.model.exchange import HttpRequest
from harness.simulation.streams import SeededStreams
from mocks.kit.books import BookKind


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


stories = _load("test_mocks_wms")
Client, lines, by_line = stories.Client, stories.lines, stories.by_line
NEW, OLD, TO = stories.NEW, stories.OLD, stories.TO
KINDS = ("order", "pick", "pick", "pick", "ship", "ship", "cancel", "adjust", "adjust", "hold")


def shop_at_random(seed: int, steps: int) -> Any:
    """Do many things in an order that chance decides, possible and impossible ones."""
    chance, client = SeededStreams(seed).stream("story"), Client(short_order="hold")
    client.wms.set_stock("MUG", 60, client.now_us)
    orders: list[str] = []
    reservations: list[str] = []
    for step in range(steps):
        units, place = chance.randrange(1, 6), chance.choice(("MAIN", "SHOP"))
        goods = [{"sku": "MUG", "quantity": units}]
        named = {"reference_id": f"r{step}"}
        order = chance.choice(orders[-4:]) if orders else "none"
        held = chance.choice(reservations) if reservations else "none"
        counted = {"sku": "MUG", "location_id": place, "reason": "COUNTED"}
        kind = chance.choice(KINDS)
        path, body = {
            "order": ("orders", {"ship_to": TO, "lines": lines(("MUG", units + 1), ("MUG", 1))}),
            "pick": (f"orders/{order}/picks", {"location_id": place, "lines": by_line(units % 3)}),
            "ship": (
                f"orders/{order}/shipments",
                {"carrier": "UPS", "lines": by_line(units % 2 + 1)},
            ),
            "cancel": (f"orders/{order}/cancellation", None),
            "adjust": ("stock-adjustments", {**counted, "difference": units - 2}),
            "hold": ("reservations", {"lines": goods}),
        }[kind]
        if kind == "order" and chance.random() < 0.3 and held != "none":
            body = {**(body or {}), "reservation_id": held}
        answer = client.call("POST", f"{NEW}/{path}", {**named, **body} if body else None)
        assert answer.status in (200, 201, 404, 409, 422), answer.body
        if answer.status == 201 and kind in ("order", "hold"):
            (orders if kind == "order" else reservations).append(answer.json()["id"])
        client.pass_seconds(chance.randrange(1, 120))
        if step % 25 == 24:
            client.tokens.clear()
        adds_up(client)
    return client


def adds_up(client: Any) -> None:
    """Hold every shelf against the promises that stand on it."""
    house = client.wms.houses[client.wms.accounts.default.id]
    reserved: Counter[tuple[str, str]] = Counter()
    picked: Counter[tuple[str, str]] = Counter()
    for reservation in house.orders.reservations.values():
        if reservation.state == "HELD":
            for sku, held in reservation.held.items():
                reserved.update({(sku, location): units for location, units in held.items()})
    for order in house.orders.orders.values():
        for line in order.lines:
            assert line.quantity >= line.picked + line.cancelled
            assert line.picked - line.shipped == sum(line.packed.values())
            assert sum(line.held.values()) == (0 if order.on_hold else line.open)
            packed = {(line.sku, location): units for location, units in line.packed.items()}
            picked.update(packed)
            reserved.update(packed)
            reserved.update({(line.sku, location): n for location, n in line.held.items()})
    for shelf in house.stock:
        assert shelf.reserved == reserved[shelf.sku, shelf.location]
        assert shelf.picked == picked[shelf.sku, shelf.location] <= shelf.on_hand


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stock_adds_up_whatever_happens(seed: int) -> None:
    client = shop_at_random(seed, 300)
    kinds = (BookKind.SALES_ORDER_CREATED, BookKind.FULFILMENT_CREATED, BookKind.STOCK_SET)
    assert all(client.booked(kind) for kind in kinds)
    counted = sum(data.get("difference", 0) for _, data in client.booked(BookKind.STOCK_SET))
    parcels = [data["lines"] for _, data in client.booked(BookKind.FULFILMENT_CREATED)]
    shipped = sum(line["quantity"] for parcel in parcels for line in parcel)
    assert 60 + counted - shipped == sum(on_hand for on_hand, _, _ in client.stock().values())


def test_the_same_seed_gives_the_same_credentials_and_books() -> None:
    first, second, other = (Client(seed=seed) for seed in (7, 7, 8))
    secrets = [dict(c.estate.access("wms").credentials.values) for c in (first, second, other)]
    assert secrets[0] == secrets[1] != secrets[2]
    runs = [shop_at_random(5, 40).wms.books.entries for _ in range(2)]
    assert runs[0] == runs[1]


ODD = (
    '"\\ud800"', "1e400", "1" + "0" * 400, "1e308", "5e-324", "0", "null", "true", '""', "[]",
    "{}", "2.0", '"9999-12-31T23:59:59-10:00"', '"0001-01-01T00:00:00+10:00"', '"\\u0000"', '"1"',
)  # fmt: skip
PLACE = "@here@"


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    children: Any = ()
    if isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
    for name, child in children:
        yield from places(child, (*at, name))


def damaged(body: Any, at: tuple[Any, ...], odd: str, reference: str) -> bytes:
    """Return the body as JSON with something odd at one place."""
    text = json.dumps({**body, "reference_id": reference})
    tree = json.loads(text)
    if at:
        part = tree
        for step in at[:-1]:
            part = part[step]
        part[at[-1]] = PLACE
        text = json.dumps(tree)
    return (text.replace(f'"{PLACE}"', odd) if at else odd).encode()


def test_no_body_can_crash_the_warehouse() -> None:
    client = Client()
    client.wms.set_stock("MUG", 10_000, client.now_us)
    order = client.order(("MUG", 5_000))
    client.pick(order, 4_000)
    goods = [{"sku": "MUG", "quantity": 1}]
    receipt = client.do(f"{NEW}/receipts", location_id="MAIN", lines=goods)
    back = client.do(f"{NEW}/returns", lines=[{"sku": "MUG", "quantity": 5_000}])
    judged = {**goods[0], "condition": "AS_NEW", "disposition": "RESTOCK"}
    weight = {"value": 1, "unit": "lb"}
    until = "2026-12-01T00:00:00Z"
    counted = {"sku": "MUG", "location_id": "MAIN", "difference": 1, "reason": "FOUND"}
    at = f"{NEW}/orders/{order['id']}"
    bodies: dict[str, Any] = {
        f"{NEW}/stock-adjustments": counted,
        f"{NEW}/reservations": {"lines": goods, "expires_at": until},
        f"{NEW}/orders": {"ship_to": TO, "ship_by": until, "lines": lines(("MUG", 1))},
        f"{at}/picks": {"location_id": "MAIN", "lines": by_line(1)},
        f"{at}/shipments": {"carrier": "UPS", "weight": weight, "lines": by_line(1)},
        f"{NEW}/receipts": {"location_id": "MAIN", "expected_on": "2026-12-01", "lines": goods},
        f"{NEW}/receipts/{receipt['id']}/arrivals": {"lines": goods},
        f"{NEW}/returns": {"lines": goods},
        f"{NEW}/returns/{back['id']}/inspections": {"lines": [judged]},
    }
    statuses: dict[int, int] = {}
    for path, body in bodies.items():
        for place in places({**body, "reference_id": ""}):
            for odd in ODD:
                sent = len(client.wms.books.calls)
                headers = (
                    ("authorization", f"Bearer {client.token()}"),
                    ("content-type", "application/json"),
                )
                text = damaged(body, place, odd, f"odd-{sent}")
                answer = client.send(HttpRequest("POST", path, (), headers, text))
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
                client.pass_seconds(1)
    adds_up(client)
    assert set(statuses) <= {201, 400, 409, 422}
    assert statuses[201] > 50
    for version in (NEW, OLD):
        for listed in ("stock", "orders", "shipments", "returns"):
            client.read(f"{version}/{listed}", limit="250")
