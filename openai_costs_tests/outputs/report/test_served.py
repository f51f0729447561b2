"""The explorer over HTTP: the page and its tables, read-only, for this machine alone."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from upath import UPath

from openai_costs.cli.dev import Address
from openai_costs.cli.serve import serve_page
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.outputs.report.served import application
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.conftest import DEMO_NOON
from openai_costs_tests.org import added

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs.storage.lake import Lake


@pytest.fixture(scope="module")
def lake(told_demo: tuple[Lake, str]) -> Lake:
    return told_demo[0]


@pytest.fixture(scope="module")
def client(lake: Lake) -> TestClient:
    served = application(lake.root.parent, lake, lambda: DEMO_NOON)
    return TestClient(served, base_url="http://127.0.0.1")


def test_the_page_is_the_file_of_the_newest_run(client: TestClient, lake: Lake) -> None:
    answer = client.get("/")
    assert answer.content == (lake.root.parent / PAGE).read_bytes()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_breakdown_is_json_or_csv_and_adds_up_to_the_ledger(
    client: TestClient, lake: Lake
) -> None:
    whole = added(lake.read(Spend)["billed_usd"])
    address = "/api/breakdown.{}?by=team&then=model&grain=month"
    as_json = client.get(address.format("json")).json()
    as_csv = list(csv.DictReader(io.StringIO(client.get(address.format("csv")).text)))
    assert added(Decimal(row["billed_usd"]) for row in as_json) == whole
    assert added(Decimal(row["billed_usd"]) for row in as_csv) == whole


def test_every_table_that_is_listed_is_there(client: TestClient) -> None:
    tables = client.get("/api").json()["tables"]
    assert "/api/findings.json" in tables
    assert {client.get(one).status_code for one in tables} == {200}
    assert client.get("/api/planets.json").text.startswith("There is no table planets.")
    assert client.get("/api/breakdown.json?by=planet").status_code == 400


def test_only_reading_and_only_under_the_names_of_this_machine(client: TestClient) -> None:
    assert client.post("/").status_code == 405
    assert client.delete("/api/breakdown.json").status_code == 405
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"host": "localhost:8780"}).status_code == 200


def test_without_a_page_there_is_a_sentence(tmp_path: Path, lake: Lake) -> None:
    served = application(UPath(tmp_path), lake, lambda: DEMO_NOON)
    answer = TestClient(served, base_url="http://localhost").get("/")
    assert answer.status_code == 404
    assert answer.text.endswith("run `openai-costs report`.\n")


def test_every_address_at_once_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="every address of this machine"):
        serve_page(UPath(tmp_path), Address("0.0.0.0", 8780), lambda: DEMO_NOON, print)  # noqa: S104
