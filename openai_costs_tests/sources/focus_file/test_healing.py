"""A home of exports alone heals: after days that no file covers, and after a clock ahead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from dagster._core.test_utils import freeze_time

from openai_costs.cli.backfill import Headless
from openai_costs.cli.doctor import facts
from openai_costs.definitions import reach_of
from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.verification import verify
from openai_costs.settings.load import Settings, settings_of
from openai_costs.sources.exports.evidence import bodies
from openai_costs.sources.exports.kept_reads import DATASET
from openai_costs.sources.provider import silent
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import calm, only_money, untraced
from openai_costs_tests.sources.exports.files import csv_of, row

NOW: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
FIRST: Final = date(2026, 11, 1)
USED: Final = DayRange(FIRST, date(2026, 11, 10))
FALSE: Final = DayRange(USED.last + ONE_DAY, NOW.date())
ASKED: Final = ("mart/forecast", "mart/budget_status", "mart/findings")
TOKENS: Final = "token_id,token_name\nt-1,maps\n"


@dataclass
class Home:
    """A home whose only connection reads a file; its gateway is files too."""

    path: Path
    told: list[str] = field(default_factory=list)
    metered: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        cloud = {"name": "cloud", "provider": "focus_file", "files": "exports/", "start": FIRST}
        content: dict[str, Any] = {
            "connections": [cloud],
            "gateway": {"name": "proxy", "token_files": ("tokens.csv",), **self.metered},
            "budgets": [{"name": "small", "limit_usd": 1}],
        }
        config = self.path / "openai_costs.toml"
        return settings_of(content, connection_kinds(), str(self.path), config, "")

    def put(self, days: DayRange, *more: Mapping[str, str]) -> None:
        """Write the export: a charge on each of some days, and more."""
        file = self.path / "exports" / "bill.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(csv_of(*(row(str(day), "10.5") for day in days), *map(dict, more)))
        (self.path / "tokens.csv").write_text(TOKENS, encoding="utf-8")

    def backfill(self, now: datetime, days: DayRange | None = None, **how: bool) -> list[str]:
        told: list[str] = []
        with calm(), untraced(), only_money(*ASKED), freeze_time(now):
            Headless(self.settings, told.append, lambda: now, reach_of(lambda: now)).backfill(
                days, **how
            )
        return told

    def doctor(self, now: datetime) -> dict[str, str]:
        """What fails."""
        with calm():
            found = facts(self.settings, lambda: now, reach_of(lambda: now))
            return {one.about: one.text for one in found if one.state == "FAIL"}

    def states(self) -> dict[date, str]:
        """The published state of each day of costs."""
        return dict(self.published("SELECT day, state FROM mart.coverage WHERE source = 'costs'"))

    def published(self, question: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path / DATABASE), read_only=True) as sql:
            return sql.execute(question).fetchall()

    def holds(self) -> bool:
        with calm():
            return verify(self.settings, silent).holds


@pytest.fixture(autouse=True)
def no_dagster_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def test_days_that_an_earlier_version_took_for_empty_are_not_read_after_the_next_backfill(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    home.put(USED, row("2027-11-04", "10.5"))
    home.backfill(NOW)
    archive = Archive(place(str(home.path)))
    requests, members = bodies([], [])
    for day in FALSE:
        archive.keep(DayRead("focus_file", "cloud", DATASET, day, NOW, requests, members))
    home.backfill(NOW, offline=True)
    assert home.states()[FALSE.first] == "settled"
    forecast = "SELECT through_day FROM mart.forecast"
    assert max(home.published(forecast)) > (USED.last,)
    later = NOW + timedelta(hours=1)
    told = home.backfill(later)
    assert sum("withdrew 18 days, 2026-11-11 to 2026-11-28" in line for line in told) == 1
    states = home.states()
    assert {states[day] for day in FALSE} == {"missing"}
    assert {states[day] for day in USED} == {"settled"}
    assert max(home.published(forecast)) == (USED.last,)
    on_disk = home.published("SELECT max(day), sum(billed_usd) FROM core.spend_control")
    assert on_disk == [(USED.last, 105)]
    assert home.holds()
    assert home.doctor(later) == {}
    assert not any("withdrew" in line for line in home.backfill(later + ONE_DAY))


def test_after_a_run_under_a_clock_ahead_what_doctor_names_is_done_by_the_next_backfill(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    now, fee = datetime(2026, 11, 12, 12, tzinfo=UTC), row("2026-11-30", "99", ChargeCategory="Tax")
    home.put(USED, fee)
    home.backfill(now + timedelta(days=400))
    failing = home.doctor(now)
    assert failing.keys() == {"days in the future", "findings in the future", "reads in the future"}
    assert all("Run openai-costs backfill" in text for text in failing.values())
    later = now + ONE_DAY
    home.put(DayRange(FIRST, USED.last + ONE_DAY), fee)
    home.backfill(later)
    assert "unless a file has a charge" in home.doctor(later)["days in the future"]
    assert home.published("SELECT sum(billed_usd) FROM mart.spend") == [(Decimal("214.5"),)]
    home.put(DayRange(FIRST, USED.last + ONE_DAY))
    home.backfill(later)
    assert home.doctor(later) == {}
    assert home.holds()
    settled, read = DayRange(FIRST, date(2026, 11, 7)), DayRange(FIRST, USED.last + ONE_DAY)
    assert home.states() == {
        day: "settled" if day in settled else "provisional" if day in read else "missing"
        for day in DayRange(FIRST, later.date())
    }
    assert home.published("SELECT sum(billed_usd) FROM mart.spend") == [(Decimal("115.5"),)]
    assert home.published("SELECT count(*) FROM mart.restatements") == [(0,)]
    seen = "SELECT max(last_seen_day) FROM core.gateway_tokens"
    assert home.published(seen) == [(later.date(),)]
    known = rows(Finding, Lake(place(str(home.path))).read(Findings))
    assert known
    assert all(max(one.day, one.opened_day) <= later.date() for one in known)


def test_a_clock_that_is_behind_leaves_the_dollars_of_a_gateways_meter(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", metered={"spend_files": ("meter.csv",)})
    home.put(USED)
    lines = ["2026-11-05,t-1,gpt-5,2.5", "2026-11-20,t-1,gpt-5,4"]
    (home.path / "meter.csv").write_text("\n".join(["day,token_id,model,metered_usd", *lines]))
    home.backfill(NOW)
    metered = "SELECT max(day), sum(metered_usd) FROM core.gateway_spend"
    before = home.published(metered)
    assert before == [(date(2026, 11, 20), Decimal("6.5"))]
    behind = datetime(2026, 11, 12, 12, tzinfo=UTC)
    home.backfill(behind)
    assert home.published(metered) == before
    assert "days in the future" in home.doctor(behind)
    home.backfill(NOW + ONE_DAY)
    assert home.published(metered) == before
    assert home.doctor(NOW + ONE_DAY) == {}
