"""Proves that the data entities of Finance and Operations keep their keys, pages and limits."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

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


base = _load("test_mocks_dynamics365")
Tenant, refused = base.Tenant, base.refused
HEADERS, LINES, STOCK = "SalesOrderHeadersV2", "SalesOrderLinesV2", "WarehousesOnHandV2"


@pytest.fixture
def tenant() -> Any:
    made = Tenant()
    made.erp.set_stock("MUG", 10, made.now_us)
    return made


def rows(tenant: Any, entity: str, **query: str) -> list[Any]:
    named = {name.replace("_", "-") if "_" in name else f"${name}": v for name, v in query.items()}
    answer = tenant.call("GET", f"/data/{entity}", None, named)
    assert answer.status == 200, answer.body
    value: list[Any] = answer.json()["value"]
    return value


def create(tenant: Any, entity: str, **body: Any) -> Any:
    answer = tenant.call("POST", f"/data/{entity}", body)
    assert answer.status == 201, answer.body
    return answer.json()


def key(number: str, area: str = "usmf") -> str:
    return f"/data/{HEADERS}(dataAreaId='{area}',SalesOrderNumber='{number}')"


def test_an_order_and_its_lines_hold_stock(tenant: Any) -> None:
    made = create(tenant, HEADERS, CustomersOrderReference="113-1", CurrencyCode="USD")
    number = made["SalesOrderNumber"]
    line = {
        "dataAreaId": "usmf",
        "SalesOrderNumber": number,
        "ItemNumber": "MUG",
        "OrderedSalesQuantity": 4,
        "SalesPrice": 14.99,
    }
    create(tenant, LINES, **line)
    (stock,) = rows(tenant, STOCK, filter="ItemNumber eq 'MUG'", cross_company="true")
    held = ("OnHandQuantity", "ReservedOnHandQuantity", "AvailableOnHandQuantity")
    assert [stock[name] for name in held] == [10, 4, 6]
    assert tenant.erp.available("MUG") == 6
    (shown,) = rows(tenant, LINES, filter=f"SalesOrderNumber eq '{number}'")
    assert (shown["ItemNumber"], shown["OrderedSalesQuantity"]) == ("MUG", 4)
    assert tenant.booked(BookKind.SALES_ORDER_CREATED)[0][0] == "113-1"
    assert tenant.booked(BookKind.SALES_ORDER_UPDATED)[0][1]["lines"] == [
        {"sku": "MUG", "quantity": 4, "unit_price": "14.99"}
    ]
    for wrong in ({"ItemNumber": "GHOST"}, {"SalesOrderNumber": "X"}, {"dataAreaId": "none"}):
        answer = tenant.call("POST", f"/data/{LINES}", {**line, **wrong})
        assert refused(answer) == (400, "BadRequest")


def test_only_a_number_of_its_own_keeps_an_order_from_being_doubled(tenant: Any) -> None:
    create(tenant, HEADERS, SalesOrderNumber="MINE-1")
    again = tenant.call("POST", f"/data/{HEADERS}", {"SalesOrderNumber": "MINE-1"})
    assert refused(again) == (400, "BadRequest")
    first, second = (create(tenant, HEADERS, CustomersOrderReference="R") for _ in range(2))
    assert first["SalesOrderNumber"] != second["SalesOrderNumber"]
    assert len(rows(tenant, HEADERS, filter="CustomersOrderReference eq 'R'")) == 2


def test_a_record_is_found_by_its_whole_key(tenant: Any) -> None:
    made = create(tenant, HEADERS, SalesOrderNumber="MINE-1")
    read = tenant.call("GET", key("MINE-1"))
    assert read.json() == made
    assert tenant.call("GET", key("MINE-1", "demf")).status == 404
    body = {"CustomersOrderReference": "113-2"}
    tag = made["@odata.etag"]
    assert tenant.call("PATCH", key("MINE-1"), body, if_match=tag).status == 204
    late = tenant.call("PATCH", key("MINE-1"), body, if_match=tag)
    assert refused(late) == (412, "Request_EntityChanged")
    assert tenant.call("PATCH", key("MINE-1"), {"SalesOrderNumber": "X"}).status == 400
    assert tenant.call("GET", key("MINE-1")).json()["CustomersOrderReference"] == "113-2"
    choice = "CurrencyCode eq Microsoft.Dynamics.DataEntities.Code'USD'"
    assert len(rows(tenant, HEADERS, filter=choice, orderby="SalesOrderNumber", top="1")) == 1


def test_a_server_under_load_names_the_wait(tenant: Any) -> None:
    pack = base.CATALOG.drift_pack("dynamics365", "2023-02-01-user-limits-as-announced")
    edge = tenant.estate.edges["dynamics365"]
    edge.switch_drift_pack(pack)
    (quota,) = edge.quotas.of("finance_operations/v4#listWarehousesOnHand")
    assert quota.limit == 6000
    edge.squeeze("entity_rate", burst=1)
    rows(tenant, STOCK)
    answer = tenant.call("GET", f"/data/{STOCK}")
    assert answer.status == 429
    assert int(answer.header("retry-after") or 0) > 0
    assert tenant.rows("items"), "Business Central counts for itself"


def test_a_batch_reaches_entities(tenant: Any) -> None:
    group = {"atomicityGroup": "g", "method": "POST", "url": HEADERS, "body": {}}
    answer = tenant.call("POST", "/data/$batch", {"requests": [{"id": "1", **group}]})
    (one,) = answer.json()["responses"]
    assert (one["status"], one["body"]["dataAreaId"]) == (201, "usmf")
    two = {"requests": [{"id": "1", **group}, {"id": "2", **group}]}
    assert tenant.call("POST", "/data/$batch", two).status == 400
    assert len(rows(tenant, HEADERS)) == 1


def test_packages_are_refused_loudly(tenant: Any) -> None:
    root = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
    for action in ("GetAzureWriteUrl", "ImportFromPackage", "ExportToPackage"):
        answer = tenant.call("POST", root + action, {"legalEntityId": "usmf"})
        assert refused(answer)[0] == 501
        assert "does not imitate" in (answer.header("x-driftgate-explain") or "")
