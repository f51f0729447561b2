"""The explorer over HTTP: the page and its tables, read-only, for this machine alone."""

from __future__ import annotations

import csv
import io
import os
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from unittest.mock import Mock

import pytest
import uvicorn
from starlette.testclient import TestClient
from upath import UPath

from openai_costs.cli.dev import Address
from openai_costs.cli.faults import sentence_of
from openai_costs.cli.serve import serve_page
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.publish.publication import NothingToShow, Publication
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.outputs.report.served import LOOPBACK, application
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import PUBLICATION_STATE
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.conftest import DEMO_NOON
from openai_costs_tests.org import added
from openai_costs_tests.s3_server import free_ports


@pytest.fixture(scope="module")
def lake(told_demo: tuple[Lake, str]) -> Lake:
    return told_demo[0]


@pytest.fixture(scope="module")
def client(lake: Lake) -> TestClient:
    return client_of(lake.root.parent, lake)


def client_of(home: UPath, lake: Lake, *hosts: str) -> TestClient:
    names = hosts or LOOPBACK
    served = application(Publication(home, lake), lambda: DEMO_NOON, sentence_of, names)
    return TestClient(served, base_url=f"http://{names[0]}", raise_server_exceptions=False)


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
    strange = client.get("/", headers={"host": "evil.example"})
    assert strange.status_code == 400
    assert strange.headers["x-frame-options"] == "DENY"
    assert client.get("/", headers={"host": "localhost:8780"}).status_code == 200


def test_without_a_page_there_is_a_sentence(tmp_path: Path, lake: Lake) -> None:
    answer = client_of(UPath(tmp_path), lake).get("/")
    assert answer.status_code == 404
    assert answer.text.endswith("run `openai-costs report`.\n")


def test_a_damaged_file_is_a_sentence_with_the_headers_of_every_response(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    (home / PAGE).mkdir(parents=True)
    table = home / "lake/mart/coverage/_delta_log"
    table.mkdir(parents=True)
    (table / f"{0:020}.json").write_text("{")
    client = client_of(home, Lake(home))
    for address, part in (("/", "Is a directory"), ("/api", "`openai-costs doctor` checks")):
        answer = client.get(address)
        assert answer.status_code == 500
        assert part in answer.text
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"


def test_a_lake_that_is_gone_is_no_empty_table(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    (home / PAGE).parent.mkdir()
    (home / PAGE).write_text("<html></html>")
    answer = client_of(home, Lake(home)).get("/api/breakdown.json")
    assert answer.status_code == 500
    assert "its tables are gone" in answer.text


def test_a_defect_has_a_sentence_and_the_headers_too(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai_costs.outputs.report.served.read_page", lambda *_, **__: 1 / 0)
    answer = client_of(lake.root.parent, lake).get("/api")
    assert (answer.status_code, answer.headers["x-frame-options"]) == (500, "DENY")
    assert answer.text.startswith("This is a defect.")


def test_a_host_of_ipv6_answers_under_its_address(lake: Lake) -> None:
    client = client_of(lake.root.parent, lake, "[::1]")
    assert client.get("/", headers={"host": "[::1]:8780"}).status_code == 200
    assert client.get("/", headers={"host": "[::2]:8780"}).status_code == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "0", "0x0", "0.0", "::", "::0", "::ffff:0:0", ""])  # noqa: S104 - refused
def test_every_address_at_once_is_refused_however_it_is_written(tmp_path: Path, host: str) -> None:
    publication = Publication(UPath(tmp_path), Lake(UPath(tmp_path)))
    with pytest.raises(SettingsError, match="every address of this machine"):
        serve_page(publication, Address(host, 8780), lambda: DEMO_NOON, print)


@pytest.mark.parametrize("host", ["a..b", "x" * 80])
def test_a_host_that_is_no_name_is_refused_in_a_sentence(tmp_path: Path, host: str) -> None:
    publication = Publication(UPath(tmp_path), Lake(UPath(tmp_path)))
    with pytest.raises(SettingsError, match="Choose another with --port or --host"):
        serve_page(publication, Address(host, 8780), lambda: DEMO_NOON, print)


@pytest.mark.parametrize(
    ("is_older", "is_readable"), [(True, True), (True, False), (False, True), (None, True)]
)
def test_a_page_is_written_anew_where_a_run_was_killed_between_database_and_page(
    told_demo: tuple[Lake, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_older: bool | None,
    is_readable: bool,
) -> None:
    home = UPath(tmp_path / "home")
    copytree(told_demo[0].root.parent, home)
    page, state = Path(str(home / PAGE)), Path(str(home / PUBLICATION_STATE))
    written = page.read_bytes()
    page.write_text("of an older publication")
    if is_older is None:
        page.unlink()
    else:
        os.utime(page, ns=(0, state.stat().st_mtime_ns + (-1000000 if is_older else 1000000)))
    if not is_readable:
        monkeypatch.setattr(
            "openai_costs.cli.serve.write_report",
            Mock(side_effect=NothingToShow(home, "is damaged")),
        )
    monkeypatch.setattr(uvicorn.Server, "run", lambda _: None)
    here = Address("127.0.0.1", *free_ports(1))
    serve_page(Publication(home, Lake(home)), here, lambda: DEMO_NOON, print)
    is_new = is_older is not False and is_readable
    assert page.read_bytes() == (written if is_new else b"of an older publication")
