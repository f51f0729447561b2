"""The life of exports through the real graph: Azure, Google and AWS bill the sample company."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import pytest

from openai_costs.cli.backfill import Headless
from openai_costs.cli.backfill_plan import plan
from openai_costs.cli.doctor import facts
from openai_costs.cli.run_output import RunFailedError
from openai_costs.definitions import reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.verification import verify
from openai_costs.sample.bedrock.exports import exports as aws_exports
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs.sample.focus_file.exports import exports
from openai_costs.settings.load import Settings, settings_of
from openai_costs.sources.provider import silent
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.restatements import Restatements
from openai_costs_tests.org import calm, only_money, untraced
from openai_costs_tests.provider_table import keeps_its_promise

NOW: Final = datetime(2026, 11, 14, 12, tzinfo=UTC)
LATER: Final = NOW + timedelta(days=1)
DAYS: Final = 16
FIRST: Final = NOW.date() - timedelta(days=DAYS - 1)
OCTOBER: Final = date(2026, 10, 30)


@dataclass
class Home:
    """A home with the exports of the sample company, and the connections that read them."""

    path: Path
    now: datetime = NOW
    told: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        azure = {"name": "azure", "files": "exports/azure", "host": "azure", "currency": "EUR"}
        google = {"name": "google", "files": "exports/google/**/*.csv"}
        listed = [one | {"provider": "focus_file", "start": FIRST} for one in (azure, google)]
        aws = {"name": "aws", "provider": "bedrock", "files": "exports/aws", "start": FIRST}
        config = self.path / "openai_costs.toml"
        content = {"connections": [*listed, aws]}
        return settings_of(content, connection_kinds(), str(self.path), config, "")

    def put(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            file = self.path / "exports" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def backfill(self, days: DayRange | None) -> None:
        reach = reach_of(lambda: self.now)
        with calm(), untraced(), only_money():
            Headless(self.settings, self.told.append, lambda: self.now, reach).backfill(days)

    @property
    def lake(self) -> Lake:
        return Lake(place(str(self.path)))

    def published(self, question: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path / DATABASE), read_only=True) as sql:
            return sql.execute(question).fetchall()


@pytest.fixture(scope="module", autouse=True)
def no_dagster_home() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        yield


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("focus"))
    organization = sample_organisation(NOW.date(), days=DAYS)
    made.put(exports(organization, NOW) | aws_exports(organization, NOW))
    made.backfill(DayRange(FIRST, NOW.date()))
    return made


def test_the_ledger_is_what_the_newest_runs_add_up_to_and_the_publication_has_it(company: Home):
    control = company.lake.read(SpendControl)
    for name in ("azure", "google", "aws"):
        usd = control.filter(connection=name)["billed_usd"].sum()
        ((published,),) = company.published(
            f"SELECT sum(billed_usd) FROM mart.spend WHERE connection = '{name}'"  # noqa: S608
        )
        assert published == usd > 100
    with calm():
        assert verify(company.settings, silent).holds
    newest = control.filter("is_settled").group_by("connection").agg(pl.col("day").max()).rows()
    assert dict(newest) == {
        "aws": NOW.date() - timedelta(days=4),
        "azure": NOW.date() - timedelta(days=5),
        "google": NOW.date() - timedelta(days=6),
    }


def test_the_ledger_names_whom_and_what_the_paper_promises(company: Home):
    rows = company.lake.read(Spend)
    for provider, names in {"focus_file": ("azure", "google"), "bedrock": ("aws",)}.items():
        assert keeps_its_promise(provider, *(rows.filter(connection=name) for name in names))


def test_a_credit_a_currency_and_a_cloud_are_on_the_row(company: Home):
    rows = company.lake.read(Spend)
    credits_ = rows.filter(charge_category="credit")
    assert set(credits_["billed_usd"]) == {Decimal("-2.5"), Decimal("-4.2")}
    azure = rows.filter(connection="azure")
    assert set(azure["currency"]) == {"EUR"}
    assert set(azure["host"]) == {"azure"}
    assert "gpt-5.4" in set(azure["model"])


def test_the_next_run_brings_its_day_and_a_rewritten_month_is_a_restatement(
    company: Home, tmp_path: Path
):
    later = moved(company, tmp_path)
    later.put(exports(sample_organisation(LATER.date(), days=DAYS + 1), LATER))
    (file,) = (later.path / "exports/google").glob("2026-10/*/*.csv")
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if f",{OCTOBER}T00:00:00Z," not in line]
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    before = total(later, OCTOBER)
    later.backfill(DayRange(OCTOBER, LATER.date()))
    restated = later.lake.read(Restatements).filter(connection="google", day=OCTOBER)
    assert restated.select("previous_usd", "current_usd").rows() == [(before, Decimal(0))]
    assert total(later, NOW.date()) > 0
    with calm():
        assert verify(later.settings, silent).holds


def test_settled_days_are_not_due_and_the_doctor_names_files_and_the_newest_run(company: Home):
    steps = plan(company.settings, None, company.now)
    assert min(one.days.first for one in steps) == NOW.date() - timedelta(days=7)
    with calm():
        found = {
            one.about: one
            for one in facts(company.settings, lambda: company.now, reach_of(lambda: company.now))
        }
    assert found["azure: files"].text.startswith("2 files of 2 runs")
    assert "FOCUS, run at 2026-11-14 03:12 UTC" in found["azure: newest run"].text


def test_files_that_are_as_they_were_are_read_beside_a_bill_that_cannot_be(
    company: Home, tmp_path: Path
):
    later, days = moved(company, tmp_path), DayRange(OCTOBER, OCTOBER + timedelta(days=2))
    later.backfill(days)
    shutil.rmtree(later.path / "exports" / "aws")
    with pytest.raises(RunFailedError, match=r"^Published, but not every connection was read: "):
        replace(later, now=LATER + timedelta(minutes=5)).backfill(days)


def total(home: Home, day: date) -> Decimal:
    rows = home.lake.read(SpendControl).filter(connection="google", day=day)
    return Decimal(rows["billed_usd"].sum())


def moved(company: Home, home: Path) -> Home:
    """The same home, a day later and elsewhere, so that a test may change it."""
    shutil.copytree(company.path, home / "copy")
    for note in (home / "copy" / "raw").rglob("files.json"):
        text = note.read_text(encoding="utf-8")
        note.write_text(text.replace(str(company.path), str(home / "copy")), encoding="utf-8")
    return replace(company, path=home / "copy", now=LATER, told=[])
