"""Proves ``driftgate scan`` as a shell sees it, against ``driftgate mock serve`` on a real port.

Both are processes of their own; the credentials are those that the simulator prints.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.drift import FindingsStore

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from harness.cli.main import main; main()"]
AMAZON, NETSUITE = "amazon_spapi", "netsuite"
NEXT_SHAPE = "2026-11-30-next-shape"
CHOICES = "2021-03-01-choices-as-objects"
ORDERS = "/services/rest/record/v1/salesOrder"
SECRET_NAMES = ("client_id", "client_secret", "refresh_token")
THREE = {
    ("observed-type-changed", "orders[].orderItems[].product.price.unitPrice.amount"),
    ("observed-enum-value-unknown", "orders[].fulfillment.fulfillmentStatus"),
    ("observed-field-undeclared", "orders[].deliveryPromise"),
}


@dataclass
class Served:
    """One simulator: its process, its address and what it printed."""

    process: subprocess.Popen[str]
    url: str
    printed: list[str]

    def fact(self, name: str) -> str:
        return next(
            line.split(None, 1)[1] for line in self.printed if line.startswith(f"  {name} ")
        )

    def secrets(self) -> dict[str, str]:
        return {name: self.fact(name) for name in SECRET_NAMES}

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


@contextmanager
def serving(system: str, *arguments: str) -> Iterator[Served]:
    with subprocess.Popen(
        [*COMMAND, "mock", "serve", system, "--port", "0", "--for", "120", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            printed: list[str] = []
            for line in process.stdout:
                printed.append(line.rstrip("\n"))
                if line.startswith("serving"):
                    break
            first = next(line for line in printed if line.startswith(f"{system}  http"))
            yield Served(process, first.split()[1], printed)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def clean() -> Iterator[Served]:
    with serving(AMAZON, "--orders", "4") as served:
        yield served


def scan(
    url: str, directory: Path, secrets: Mapping[str, str], *arguments: str, system: str = AMAZON
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DRIFTGATE_")}
    environment |= {f"DRIFTGATE_{system}_{name}".upper(): v for name, v in secrets.items()}
    return subprocess.run(
        [
            *(*COMMAND, "scan", system, "--url", url, "--samples", "3", "--format", "json"),
            *("--store", f"sqlite:///{directory / 'findings.db'}"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=directory,
        env={**environment, "DRIFTGATE_CONTRACTS": str(contracts())},
    )


def contracts() -> Path:
    return Path(__file__).parents[2] / "contracts"


def scan_orders(url: str, directory: Path, secrets: Mapping[str, str], *more: str) -> Any:
    return scan(
        url,
        directory,
        secrets,
        *("--api", "orders/2026-01-01", "--known", "marketplaceIds=ATVPDKIKX0DER"),
        *more,
    )


def silent_about(secrets: Mapping[str, str], directory: Path, *texts: str) -> None:
    """Check that no secret stands in a text or in a file the command left."""
    files = {p.name: p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}
    assert "findings.db" in files
    for name, value in secrets.items():
        assert not any(value in text for text in texts), name
        assert not any(value.encode() in data for data in files.values()), name


def test_a_clean_channel_is_silent_and_exits_0(clean: Served, tmp_path: Path) -> None:
    done = scan_orders(clean.url, tmp_path, clean.secrets())
    report = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert report["verdict"] == "compatible"
    assert report["findings"] == []
    assert not report.get("not_checked")
    assert report["summary"]["operations_checked"] == 2


def test_drift_is_named_remembered_and_closed_by_a_clean_scan(
    clean: Served, tmp_path: Path
) -> None:
    with serving(AMAZON, "--orders", "4", "--drift-pack", NEXT_SHAPE) as drifted:
        secrets = drifted.secrets()
        done = [scan_orders(drifted.url, tmp_path, secrets) for _ in range(2)]

    reports = [json.loads(one.stdout) for one in done]
    for one, report in zip(done, reports, strict=True):
        assert one.returncode == 1, one.stderr
        assert {(f["rule"], f["field"]) for f in report["findings"]} == THREE
    first, second = [{f["fingerprint"]: f for f in report["findings"]} for report in reports]
    assert first.keys() == second.keys()
    for fingerprint, known in second.items():
        assert known["first_seen"] == first[fingerprint]["first_seen"] < known["last_seen"]
    silent_about(secrets, tmp_path, *(o.stdout + o.stderr for o in done))

    store = FindingsStore(f"sqlite:///{tmp_path / 'findings.db'}")
    assert len(store.open_findings(AMAZON)) == 3
    assert scan_orders(clean.url, tmp_path, clean.secrets()).returncode == 0
    assert store.open_findings(AMAZON) == ()
    store.close()


def test_trouble_at_the_door_closes_nothing_and_exits_3(tmp_path: Path) -> None:
    with serving(AMAZON, "--orders", "4", "--drift-pack", NEXT_SHAPE) as drifted:
        secrets = drifted.secrets()
        assert scan_orders(drifted.url, tmp_path, secrets).returncode == 1
        wrong = {**secrets, "client_secret": "wrong-7f3a"}
        refused = scan_orders(drifted.url, tmp_path, wrong)
        drifted.stop()
        gone = scan_orders(drifted.url, tmp_path, secrets)

    for done, reason, remedy in (
        (refused, "authentication was refused", "Check client id, secret"),
        (gone, "cannot be connected to", "Check the address"),
    ):
        (entry,) = json.loads(done.stdout)["not_checked"]
        assert done.returncode == 3
        assert reason in entry["reason"]
        assert remedy in entry["remedy"]
        silent_about(wrong, tmp_path, done.stdout, done.stderr)
    store = FindingsStore(f"sqlite:///{tmp_path / 'findings.db'}")
    assert len(store.open_findings(AMAZON)) == 3
    store.close()


def test_missing_credentials_exit_2_and_name_the_variables(tmp_path: Path) -> None:
    done = scan("http://127.0.0.1:1", tmp_path, {"client_id": "some-id-91c4"})

    assert done.returncode == 2
    assert "DRIFTGATE_AMAZON_SPAPI_CLIENT_SECRET" in done.stderr
    assert "DRIFTGATE_AMAZON_SPAPI_REFRESH_TOKEN" in done.stderr
    assert "DRIFTGATE_AMAZON_SPAPI_CLIENT_ID" not in done.stderr
    assert "some-id-91c4" not in done.stdout + done.stderr
    assert not (tmp_path / "findings.db").exists()


def test_an_operation_nobody_reads_exits_2_and_names_those_that_are(tmp_path: Path) -> None:
    done = scan("http://127.0.0.1:1", tmp_path, {"access_token": "t"}, "--operation", "getOrders2")

    assert done.returncode == 2
    assert "getOrderItems" in done.stderr
    assert "confirmShipment" not in done.stderr


# NetSuite -------------------------------------------------------------------------------------


def assertion(served: Served) -> str:
    """Return the signed assertion of the printed curl line."""
    line = next(line for line in served.printed if "client_assertion=" in line)
    return line.split("client_assertion=", 1)[1].split()[0]


def book_an_order(served: Served) -> str:
    """Create a sales order as an engine would and return the access token it took."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(served),
    }
    document = {
        "entity": {"id": "110"},
        "orderStatus": "B",
        "currency": {"refName": "USD"},
        "item": {"items": [{"item": {"externalId": "MUG-BLUE"}, "quantity": 1, "rate": 9.5}]},
    }
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        token = client.post(served.fact("token_url"), data=form).json()["access_token"]
        bearer = {"authorization": f"Bearer {token}"}
        made = client.put(f"{ORDERS}/eid:scan-1", json=document, headers=bearer)
        assert made.status_code == 204, made.text
    return str(token)


OF_ORDERS = (
    *("--operation", "listSalesOrders", "--operation", "getSalesOrder"),
    *("--operation", "getSalesOrderByExternalId"),
)


def test_a_clean_erp_is_silent_with_an_assertion_and_ids_learned_on_the_way(
    tmp_path: Path,
) -> None:
    with serving(NETSUITE) as served:
        book_an_order(served)
        secrets = {"client_assertion": assertion(served)}
        done = scan(served.url, tmp_path, secrets, *OF_ORDERS, system=NETSUITE)
        whole = scan(served.url, tmp_path, secrets, system=NETSUITE)

    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["findings"] == []
    assert report["summary"]["operations_checked"] == 3
    silent_about(secrets, tmp_path, done.stdout, done.stderr)
    # Unnamed operations are not silently good: jobs that nobody started cannot be read.
    assert whole.returncode == 3
    remedies = " ".join(e["remedy"] for e in json.loads(whole.stdout)["not_checked"])
    assert "--known getAsyncJob.jobId=VALUE" in remedies


def test_choices_that_became_objects_are_found_with_an_access_token(tmp_path: Path) -> None:
    with serving(NETSUITE, "--drift-pack", CHOICES) as served:
        secrets = {"access_token": book_an_order(served)}
        more = ("--operation", "getSalesOrderByExternalId")
        known = ("--known", "getSalesOrderByExternalId.externalId=scan-1")
        learned = scan(served.url, tmp_path, secrets, *OF_ORDERS, system=NETSUITE)
        told = scan(served.url, tmp_path, secrets, *more, *known, system=NETSUITE)

    for done, operations in ((learned, 2), (told, 1)):
        findings = json.loads(done.stdout)["findings"]
        assert done.returncode == 1, done.stderr
        assert len(findings) == operations
        assert {(f["rule"], f["field"]) for f in findings} == {
            ("observed-type-changed", "orderStatus")
        }
        silent_about(secrets, tmp_path, done.stdout, done.stderr)
