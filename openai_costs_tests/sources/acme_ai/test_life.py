"""The life of a second provider beside OpenAI, through the real graph: read, restated, published.

It has no usage, no organization, no view by user and no control total. What is said of OpenAI stays
the same to the last digit.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import polars as pl
import pytest
import stamina
from polars.testing import assert_frame_equal

from openai_costs.cli.backfill import Headless
from openai_costs.cli.backfill_names import directories_due
from openai_costs.cli.backfill_plan import from_kept_pages, plan
from openai_costs.definitions import build_defs, reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import REFRESH
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.verification import verify
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.settings.load import Settings
from openai_costs.sources import registry
from openai_costs.sources.provider import Reach, silent
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser as MartSpendByUser
from openai_costs_tests.org import (
    MONEY,
    NOW,
    Ran,
    calm,
    company_at,
    executed,
    job_of,
    untraced,
)
from openai_costs_tests.sources.acme_ai.assets import ACME_AI
from openai_costs_tests.sources.acme_ai.settings import AcmeConnection
from openai_costs_tests.sources.acme_ai.wire import (
    BILL,
    DAY,
    ESTIMATED_USD,
    KEY,
    METERED_USD,
    OTHER_DAY,
    UNBILLED,
    USD,
    AcmeWire,
    entry,
)

OPENAI_ONLY = (GatewayBypass, CostReconciliation, Optimization, Usage)
DOLLARS = (Spend, SpendByUser, SpendControl, MartSpend, SpendAttribution, MartSpendByUser)


@dataclass
class Office:
    """A home with the sample organization, its gateway, and maybe Acme AI."""

    settings: Settings
    wire: AcmeWire = field(default_factory=lambda: AcmeWire((*BILL, *UNBILLED)))
    now: datetime = NOW
    told: list[str] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        return Lake(place(self.settings.home))

    @property
    def headless(self) -> Headless:
        return Headless(self.settings, self.told.append, lambda: self.now, self.reach)

    @property
    def reach(self) -> Reach:
        usual = reach_of(lambda: self.now)
        return Reach(lambda one: self.wire if one.name == "acme" else usual.inner(one))

    def read(self, table: type[Contract]) -> pl.DataFrame:
        """A table without the days of Acme AI."""
        frame = self.lake.read(table)
        return frame.filter(pl.col("connection") != "acme")

    def acme(self, table: type[Contract]) -> pl.DataFrame:
        return self.lake.read(table).filter(connection="acme")

    def published(self, question: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(Path(self.settings.home) / DATABASE), read_only=True) as sql:
            return sql.execute(question).fetchall()


def office(home: Path) -> Office:
    settings = company_at(home)
    acme = AcmeConnection(name="acme", start=settings.first_day, requests_per_minute=100_000)
    listed = (*settings.connections, acme)
    return Office(settings.model_copy(update={"connections": listed}))


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, stamina.set_testing(True, attempts=2, cap=True):
        patch.setenv("ACME_AI_KEY", KEY)
        patch.delenv("DAGSTER_HOME", raising=False)
        patch.setattr(registry, "PROVIDERS", (*registry.PROVIDERS, ACME_AI))
        yield


@pytest.fixture(scope="module")
def alone(company_alone: Settings) -> Office:
    """OpenAI without a second provider."""
    return Office(company_alone)


@pytest.fixture(scope="module")
def both(alone: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The same home elsewhere, after Acme AI came to it."""
    home = tmp_path_factory.mktemp("both") / "home"
    shutil.copytree(alone.settings.home, home)
    made = office(home)
    coming = replace(made, settings=made.settings.only("acme"))
    with calm(), untraced():
        coming.headless.backfill(days_of(made))
    return made


def days_of(made: Office) -> DayRange:
    return DayRange(made.settings.first_day, made.now.date())


def by_day(frame: pl.DataFrame) -> dict[date, Decimal]:
    sums = frame.group_by("day").agg(pl.col("billed_usd").sum()).filter(pl.col("billed_usd") != 0)
    return dict(sums.iter_rows())


@pytest.mark.parametrize("table", DOLLARS, ids=lambda table: table.full_name())
def test_every_table_has_its_dollars_day_by_day(both: Office, table: type[Contract]):
    assert by_day(both.acme(table)) == USD


def test_a_ledger_without_users_is_nobodys_and_a_day_without_a_total_has_the_ledgers(both: Office):
    assert both.acme(SpendByUser)["user_id"].to_list() == [None] * both.acme(SpendByUser).height
    control = both.acme(SpendControl)
    assert set(control["day"]) == {*days_of(both)}
    assert set(control.filter(day=DAY)["is_settled"]) == {True}


def test_metered_and_estimated_dollars_have_control_totals_of_their_own(both: Office):
    control = both.acme(SpendControl)
    of_basis = {"metered_usd": METERED_USD, "estimated_usd": ESTIMATED_USD}
    for column, usd in of_basis.items():
        assert dict(control.select("day", column).drop_nulls().iter_rows()) == usd


def test_metered_and_estimated_dollars_are_shown_apart_with_their_basis(both: Office):
    question = "SELECT day, sum(metered_usd), sum(estimated_usd) FROM bi.unbilled_spend GROUP BY 1"
    assert sorted(both.published(question)) == [(DAY, 50.0, None), (OTHER_DAY, None, 3.999)]


def test_its_days_are_published_with_every_other(both: Office):
    assert slices_in_flight(both.lake) == []
    sums = "SELECT day, sum(billed_usd) FROM {} WHERE connection = 'acme' {} GROUP BY day"
    for table in DOLLARS:
        counted = f"AND {table.counted()}" if table.counted() else ""
        found = both.published(sums.format(table.full_name(), counted))
        assert {day: usd for day, usd in found if usd} == USD, table.full_name()


def test_every_settled_day_of_both_adds_up_from_kept_pages_to_the_publication(both: Office):
    with calm():
        assert verify(both.settings, silent).holds


def test_the_page_and_the_views_show_its_dollars(both: Office):
    page = (Path(both.settings.home) / PAGE).read_text(encoding="utf-8")
    assert "acme" in page
    assert "zephyr-2" in page
    question = "SELECT DISTINCT provider FROM bi.cost_daily ORDER BY provider"
    assert both.published(question) == [("acme_ai",), ("openai",)]


@pytest.mark.parametrize("table", OPENAI_ONLY, ids=lambda table: table.full_name())
def test_a_question_about_openai_leaves_its_dollars_alone(
    both: Office, alone: Office, table: type[Contract]
):
    assert both.acme(table).is_empty()
    assert_frame_equal(both.read(table), alone.read(table), check_row_order=False)


def test_a_bill_without_a_price_list_is_compared_with_no_other_list(both: Office, alone: Office):
    assert set(both.acme(PriceCheck)["cause"]) <= {"no_price", "label_not_parsed"}
    assert_frame_equal(both.read(PriceCheck), alone.read(PriceCheck), check_row_order=False)


@pytest.mark.parametrize("table", DOLLARS, ids=lambda table: table.full_name())
def test_the_dollars_of_openai_are_the_same_beside_it(
    both: Office, alone: Office, table: type[Contract]
):
    assert_frame_equal(both.read(table), alone.read(table), check_row_order=False)


def test_questions_about_openai_have_something_to_answer(alone: Office):
    """Or the test above would compare nothing with nothing."""
    assert all(alone.read(table).height for table in OPENAI_ONLY if table is not Optimization)


def test_no_check_objects_to_it_but_that_it_billed_nothing_on_a_day(both: Office):
    named = [line for line in both.told if any(f"acme{end}" in line for end in (":", ",", "."))]
    progress = [line for line in named if "read " in line]
    assert len(progress) < len(named)
    assert all("after a day with spend: acme." in line for line in named if line not in progress)


def test_its_costs_are_covered_and_its_usage_is_not_owed(both: Office):
    coverage = both.acme(Coverage)
    assert set(coverage["source"]) == {"costs"}
    assert set(coverage.filter(pl.col("day") < NOW.date() - timedelta(days=1))["state"]) == {
        "settled"
    }


def test_nothing_is_owed_after_a_backfill_but_the_trailing_days(both: Office):
    steps = plan(both.settings, None, NOW)
    assert [one.job_name for one in steps] == [REFRESH]
    assert directories_due(both.settings, NOW.date()) == []
    days = [day for step in from_kept_pages(both.settings, None, NOW.date()) for day in step.days]
    assert days == [*days_of(both)]


def test_days_that_were_never_read_or_had_not_settled_are_owed(both: Office):
    later, yesterday = NOW + timedelta(days=20), NOW.date() - timedelta(days=1)
    due, trailing = plan(both.settings.only("acme"), None, later)
    assert due.days == DayRange(yesterday, later.date() - timedelta(days=8))
    assert trailing.days.last == later.date()


def test_a_settled_day_that_it_changes_is_a_restatement(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    later.wire = AcmeWire((*BILL[:3], entry(OTHER_DAY, "150")))
    assert refreshed(later).is_green
    columns = ["day", "previous_usd", "current_usd", "change_usd"]
    (row,) = later.acme(Restatements).select(columns).rows()
    assert row == (OTHER_DAY, USD[OTHER_DAY], Decimal("1.5"), Decimal("1.5") - USD[OTHER_DAY])
    assert by_day(later.acme(MartSpend))[OTHER_DAY] == Decimal("1.5")
    published = "SELECT cost_basis, current_usd FROM mart.restatements WHERE connection = 'acme'"
    assert set(later.published(published)) == {("billed", Decimal("1.5")), ("estimated", 0)}


ACME_COSTS = "raw/acme_ai_costs"
NO_KEY = AcmeWire(refusal=(403, "role", "Ask your admin."))


def refreshed(later: Office, *, openai: httpx.BaseTransport | None = None) -> Ran:
    """Refresh the money of a day, in place of OpenAI's API with another one if there is one."""
    usual = later.reach
    reach = Reach(lambda one: usual.inner(one) if one.name == "acme" or not openai else openai)
    with calm():
        defs = build_defs(later.settings, clock=lambda: later.now, reach=reach)
        job = job_of(defs, REFRESH, (*MONEY, ACME_COSTS))
    return executed(job, DayRange(OTHER_DAY, OTHER_DAY))


def test_a_refused_key_fails_its_connection_and_no_other(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    later.wire = NO_KEY
    ran = refreshed(later)
    said = ran.of("raw/acme_ai_costs", "read_complete")[str(OTHER_DAY)]
    assert (said.passed, "Ask your admin." in said.because) == (False, True)
    assert ran.is_green, ran.failures
    assert by_day(later.acme(Spend)) == USD
    assert ran.of("raw/openai_costs", "read_complete")[str(OTHER_DAY)].passed
    assert ran.of("core/spend", "ties_out")[str(OTHER_DAY)].passed
    assert ran.is_green, ran.failures


def test_openai_that_fails_does_not_stop_the_second_provider(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    later.wire = AcmeWire((*BILL[:3], entry(OTHER_DAY, "150")))
    gone = httpx.MockTransport(lambda _request: httpx.Response(403, json={"error": {}}))
    ran = refreshed(later, openai=gone)
    assert not ran.of("raw/openai_costs", "read_complete")[str(OTHER_DAY)].passed
    assert by_day(later.acme(MartSpend))[OTHER_DAY] == Decimal("1.5")
    assert ran.is_green, ran.failures


def test_a_run_in_which_no_provider_gives_anything_is_red(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    later.wire = NO_KEY
    gone = httpx.MockTransport(lambda _request: httpx.Response(403, json={"error": {}}))
    ran = refreshed(later, openai=gone)
    assert not ran.is_green
    (failure,) = [said for said in ran.failures if said.startswith("core__spend:")]
    assert "Ask your admin." in failure
    assert "api.usage.read" in failure


def moved(both: Office, home: Path) -> Office:
    """The same home, a day later and elsewhere, so that a test may change it."""
    shutil.copytree(both.settings.home, home / "copy")
    settings = both.settings.model_copy(update={"home": str(home / "copy")})
    return replace(both, settings=settings, now=NOW + timedelta(days=1), told=[])
