"""The sample company under other settings: renamed, connected twice, and behind a narrower key.

Each begins with the demo of two weeks. Nothing that the company spent depends on what its
settings call a connection, on how many connections read it, or on how much of the gateway a key
may see.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from openai_costs import definitions
from openai_costs.cli.backfill import Headless
from openai_costs.cli.backfill_plan import plan
from openai_costs.cli.doctor_files import tie_out_facts
from openai_costs.cli.run_output import RunFailedError
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import REBUILD
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.gateway import USER_KEY, VIEWER_KEY
from openai_costs.sample.api.serving import InProcessTransport, sample_at
from openai_costs.sample.setup import CONFIG
from openai_costs.settings.load import settings_of
from openai_costs.sources.gateway.readers import readers_of
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import OPEN, Findings
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.conftest import DEMO_NOON
from openai_costs_tests.org import added, calm, day, filled, untraced

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs.settings.load import Settings

LATER: Final = DEMO_NOON + timedelta(hours=1)
SETTLED: Final = DayRange(day(7), day(21))
OF_THE_GATEWAY: Final = ("gateway_bypass.", "reconciliation.")
FILES: Final = 'token_files = ["company/tokens.csv"]\nspend_files = ["company/meter.csv"]\n'
PROXY: Final = 'litellm_url = "http://127.0.0.1:4000"\nrequests_per_minute = 100000\n'


@pytest.fixture
def first(small_demo: Path) -> Path:
    """The home of the demo."""
    return small_demo


def changed(home: Path, *changes: tuple[str, str]) -> Settings:
    """Change the settings of a home."""
    text = (home / CONFIG).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (home / CONFIG).write_text(text, encoding="utf-8")
    content = tomllib.loads(text, parse_float=Decimal)
    return settings_of(content, connection_kinds(), str(home), home / CONFIG, text)


def connection_in(home: Path) -> str:
    """The text of the one connection in the settings of a home."""
    text = (home / CONFIG).read_text(encoding="utf-8")
    return text[text.index("[[connections]]") : text.index("[[teams]]")]


def beginning_later(connection: str) -> str:
    """The same connection, with a later start."""
    return re.sub("(?m)^start = .*$", f"start = {day(15)}", connection)


def backfilled(settings: Settings) -> list[str]:
    """Run a backfill; return what it said."""
    said: list[str] = []
    with calm(), untraced():
        try:
            Headless(settings, said.append, lambda: LATER).backfill()
        except RunFailedError as failed:
            said.append(str(failed))
    return said


def made_anew(settings: Settings) -> list[str]:
    """Make a home from nothing; return what checks said."""
    made = filled(Headless(settings, lambda _: None, lambda: LATER), "sample")
    return [*made.objections.lines()]


def lake_of(home: Path) -> Lake:
    return Lake(place(str(home)))


def totals(home: Path) -> dict[str, Decimal]:
    """The dollars of each connection on settled days, the same in ledger and mart."""
    ledger, mart = (lake_of(home).read(table, SETTLED) for table in (Ledger, Spend))
    found = [
        {
            name: added(frame.filter(connection=name)["billed_usd"])
            for name in frame["connection"].unique()
        }
        for frame in (ledger, mart)
    ]
    assert found[0] == found[1]
    return found[0]


def accused(home: Path) -> dict[tuple[str, str], Decimal | None]:
    """What is open, by rule and subject without the connection's name, with its dollars."""
    found = [one for one in rows(Finding, lake_of(home).read(Findings)) if one.state in OPEN]
    named = {(one.rule, one.subject_id.removeprefix(f"{one.connection}/")) for one in found}
    assert len(named) == len(found), "an incident is reported twice"
    return {
        (one.rule, one.subject_id.removeprefix(f"{one.connection}/")): one.impact_usd
        for one in found
    }


def is_of_the_gateway(found: tuple[str, str]) -> bool:
    return found[0].startswith(OF_THE_GATEWAY)


def test_a_company_that_is_renamed_and_connected_twice_is_counted_once_and_keeps_its_findings(
    first: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(first, tmp_path / "home")
    table = connection_in(home)
    renamed = table.replace('"sample"', '"tidewater"')
    again = table.replace('"sample"', '"sample-eu"').replace("&rows_per_day=0", "&rows_per_day=00")
    elsewhere = ('connection = "sample"', 'connection = "tidewater"')
    said = backfilled(changed(home, (table, renamed + again), elsewhere))
    assert "'sample-eu' reads org-tidewatermaps, which 'tidewater' reads too" in said[-1]
    assert totals(home) == {"tidewater": totals(first)["sample"]}
    assert set(lake_of(home).read(Coverage)["connection"]) == {"tidewater"}
    # The days of the second one are the first one's: that they are late would be a false alarm.
    assert accused(home) == accused(first)


def test_a_start_that_is_set_later_changes_no_number_of_the_days_that_are_stored(
    first: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(first, tmp_path / "home")
    table = connection_in(home)
    later = beginning_later(table)
    settings = changed(home, (table, later))
    backfilled(settings)
    assert totals(home) == totals(first)
    covered, usual = (lake_of(one).read(Coverage, SETTLED).drop("read_at") for one in (home, first))
    assert covered.equals(usual)
    assert accused(home) == accused(first)
    assert [one.state for one in tie_out_facts(settings)] == ["OK"]
    for table in ("core/spend", "core/spend_control"):
        max((home / "lake" / table / "_delta_log").glob("0*.json")).write_bytes(b"{")
    backfilled(settings)
    assert totals(home) == totals(first), "what is damaged is rebuilt, whatever the start"
    shutil.rmtree(home / "lake")
    with calm(), untraced():
        Headless(settings, str, lambda: LATER).backfill(offline=True)
    assert totals(home) == totals(first)


def test_a_connection_that_is_renamed_and_begins_later_keeps_the_days_before(
    first: Path, tmp_path: Path
) -> None:
    """They stand below its new name alone, and no other run would make tables of them."""
    home = shutil.copytree(first, tmp_path / "home")
    table = connection_in(home)
    later = beginning_later(table)
    renamed = later.replace('"sample"', '"tidewater"')
    elsewhere = ('connection = "sample"', 'connection = "tidewater"')
    settings = changed(home, (table, renamed), elsewhere)
    backfilled(settings)
    assert totals(home) == {"tidewater": totals(first)["sample"]}
    assert [one.state for one in tie_out_facts(settings)] == ["OK"]
    assert not [step for step in plan(settings, None, LATER) if step.job_name == REBUILD]


def test_a_gateway_that_is_renamed_is_compared_on_the_same_days_and_counted_once(
    first: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(first, tmp_path / "home")
    settings = changed(home, ("[gateway]\n", '[gateway]\nname = "proxy"\n'))
    with calm(), untraced():
        Headless(settings, str, lambda: LATER).backfill()
    assert lake_of(home).connections(GatewaySpend) == ["proxy"]
    compared, usual = (
        lake_of(one).read(CostReconciliation, SETTLED).drop("judged_by") for one in (home, first)
    )
    assert compared.equals(usual)
    assert accused(home) == accused(first)


@pytest.fixture
def proxied(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without any reading, whose gateway is on the wire."""
    home = shutil.copytree(first, tmp_path / "home")
    for folder in ("raw", "lake", "record", "published"):
        shutil.rmtree(home / folder)
    address = tomllib.loads((home / CONFIG).read_text(encoding="utf-8"))["connections"][0]
    app = InProcessTransport(create_app(sample_at(address["base_url"]), now=lambda: LATER))
    reading = partial(readers_of, inner=app)
    monkeypatch.setattr(definitions, "readers_of", reading)
    return home


def test_the_gateway_on_the_wire_leads_to_the_same_findings_as_its_files(
    first: Path, proxied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_MASTER_KEY", VIEWER_KEY)
    made_anew(changed(proxied, (FILES, PROXY)))
    assert accused(proxied) == accused(first)


def test_a_gateway_key_that_sees_its_own_rows_only_leads_to_no_finding_about_the_gateway(
    first: Path, proxied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_MASTER_KEY", USER_KEY)
    said = made_anew(changed(proxied, (FILES, PROXY)))
    assert "sees a part of the proxy only" in " ".join(said)
    lake = lake_of(proxied)
    assert lake.read(GatewayBypass).is_empty()
    assert lake.read(CostReconciliation).is_empty()
    others = {key: usd for key, usd in accused(first).items() if not is_of_the_gateway(key)}
    assert accused(proxied) == others
    assert len(others) < len(accused(first))
