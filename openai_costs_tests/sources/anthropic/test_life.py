"""Anthropic beside OpenAI through the real graph: read, restated, published and verified."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import stamina
from polars.testing import assert_frame_equal

from openai_costs.cli.backfill import Headless
from openai_costs.cli.backfill_names import directories_due
from openai_costs.cli.backfill_plan import plan
from openai_costs.definitions import build_defs, reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import REFRESH
from openai_costs.outputs.publish.database import DATABASE
from openai_costs.outputs.publish.verification import verify
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.settings.load import Settings
from openai_costs.sources.due_days import due_days
from openai_costs.sources.provider import Reach, silent
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser as MartSpendByUser
from openai_costs.tables.mart.unspent_keys import UnspentKeys
from openai_costs_tests.org import (
    MONEY,
    NOW,
    Ran,
    calm,
    company_at,
    executed,
    filled,
    job_of,
)
from openai_costs_tests.sources.anthropic.wire import (
    BILL,
    CLAUDE,
    DAY,
    KEY,
    ORG,
    OTHER_DAY,
    USD,
    AnthropicWire,
    error,
)

OPENAI_ONLY = (GatewayBypass, CostReconciliation, Optimization)
DOLLARS = (Spend, SpendByUser, SpendControl, MartSpend, SpendAttribution, MartSpendByUser)


@dataclass
class Office:
    """A home with the sample organization, its gateway, and maybe Anthropic."""

    settings: Settings
    wire: AnthropicWire = field(default_factory=AnthropicWire)
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
        return Reach(lambda one: self.wire if one.name == "claude" else usual.inner(one))

    def read(self, table: type[Contract]) -> pl.DataFrame:
        """A table without the rows of Anthropic."""
        return self.lake.read(table).filter(pl.col("connection") != "claude")

    def claude(self, table: type[Contract]) -> pl.DataFrame:
        return self.lake.read(table).filter(connection="claude")

    def published(self, question: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(Path(self.settings.home) / DATABASE), read_only=True) as sql:
            return sql.execute(question).fetchall()


def office(home: Path) -> Office:
    settings = company_at(home)
    claude = CLAUDE.model_copy(update={"start": settings.first_day})
    listed = (*settings.connections, claude)
    return Office(settings.model_copy(update={"connections": listed}))


@pytest.fixture(scope="module", autouse=True)
def surroundings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, stamina.set_testing(True, attempts=2, cap=True):
        patch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
        patch.delenv("DAGSTER_HOME", raising=False)
        yield


@pytest.fixture(scope="module")
def alone(company_alone: Settings) -> Office:
    """OpenAI without a second provider."""
    return Office(company_alone)


@pytest.fixture(scope="module")
def both(alone: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The same home elsewhere, after Anthropic came to it with its names."""
    home = tmp_path_factory.mktemp("both") / "home"
    shutil.copytree(alone.settings.home, home)
    made = office(home)
    coming = replace(made, settings=made.settings.only("claude"))
    filled(coming.headless, "claude")
    return made


def by_day(frame: pl.DataFrame) -> dict[date, Decimal]:
    sums = frame.group_by("day").agg(pl.col("billed_usd").sum()).filter(pl.col("billed_usd") != 0)
    return dict(sums.iter_rows())


@pytest.mark.parametrize("table", DOLLARS, ids=lambda table: table.full_name())
def test_every_table_has_its_dollars_day_by_day(both: Office, table: type[Contract]):
    assert by_day(both.claude(table)) == USD


@pytest.mark.parametrize("table", DOLLARS, ids=lambda table: table.full_name())
def test_its_dollars_are_published_with_every_other(both: Office, table: type[Contract]):
    assert slices_in_flight(both.lake) == []
    question = (
        f"SELECT day, sum(billed_usd) FROM {table.full_name()} "  # noqa: S608 - a name of ours
        "WHERE connection = 'claude' GROUP BY day ORDER BY day"
    )
    assert {day: usd for day, usd in both.published(question) if usd} == USD


def test_every_settled_day_of_both_adds_up_from_kept_pages_to_the_publication(both: Office):
    with calm():
        assert verify(both.settings, silent).holds


def test_the_bill_itself_names_the_user_and_a_key_names_its_owner(both: Office):
    rows = both.claude(SpendAttribution).filter(day=DAY)
    found = rows.group_by("attribution", "user_name").agg(pl.col("billed_usd").sum())
    assert {(how, who): usd for how, who, usd in found.iter_rows()} == {
        ("direct", "Ada"): Decimal("0.735"),
        ("key_owner", "Ada"): Decimal("9.8275045"),
    }


def test_names_of_workspaces_keys_and_people_are_in_the_marts(both: Office):
    names = both.claude(MartSpend).select("project_name", "api_key_name").unique().rows()
    assert ("Production", "web production") in names
    assert ("Default workspace", None) in names
    assert set(both.claude(Users)["status"]) == {"active"}
    assert set(both.claude(ApiKeys)["id"]) == {"apikey_web", "apikey_ci"}
    assert set(both.claude(Projects)["id"]) == {"wrkspc_prod", "default"}


def test_claude_code_is_a_product_of_the_same_bill(both: Office):
    code = both.claude(Spend).filter(surface="claude_code")
    assert (code["billed_usd"].sum(), code["user_id"].to_list()) == (Decimal("0.615"), ["user_ada"])


def test_the_ledger_names_the_organization_of_the_key(both: Office):
    assert set(both.claude(Spend)["organization_id"]) == {ORG["id"]}


def test_usage_stands_beside_the_bill(both: Office):
    used = both.claude(Usage).filter(day=DAY, endpoint="messages")
    assert used["input_tokens"].sum() == 990_000
    assert used["output_tokens"].sum() == 452_000


def test_the_page_and_the_views_show_both_providers(both: Office):
    page = (Path(both.settings.home) / PAGE).read_text(encoding="utf-8")
    assert "claude-sonnet-5" in page
    assert "ada@kestrel.example" not in page
    question = "SELECT DISTINCT provider FROM bi.cost_daily ORDER BY provider"
    assert both.published(question) == [("anthropic",), ("openai",)]


@pytest.mark.parametrize("table", OPENAI_ONLY, ids=lambda table: table.full_name())
def test_a_question_about_openai_leaves_its_dollars_alone(
    both: Office, alone: Office, table: type[Contract]
):
    """No bypass and no gap of reconciliation is made of an Anthropic dollar."""
    assert both.claude(table).is_empty()
    assert not both.lake.read(table).is_empty() or table is Optimization
    assert both.read(table).height == alone.read(table).height


def test_every_billed_dollar_is_in_the_price_check_under_its_own_host(both: Office):
    checked = both.claude(PriceCheck)
    assert by_day(checked) == USD
    assert set(checked["host"]) == {"anthropic"}
    assert checked["list_price_usd"].count() > 0
    assert set(both.read(PriceCheck)["host"]) == {"openai"}


@pytest.mark.parametrize("table", DOLLARS, ids=lambda table: table.full_name())
def test_the_dollars_of_openai_are_the_same_beside_it(
    both: Office, alone: Office, table: type[Contract]
):
    assert by_day(both.read(table)) == by_day(alone.read(table))


def test_the_ledger_of_openai_is_the_same_to_the_last_row(both: Office, alone: Office):
    assert_frame_equal(both.read(Spend), alone.read(Spend), check_row_order=False)


def test_its_members_have_no_price_of_openais_contract(both: Office):
    seats = both.claude(Seats).filter(seat_kind="user")
    assert seats.select("user_id", "seat_usd", "seat_basis").rows() == [("user_ada", None, "none")]
    assert both.read(Seats)["seat_usd"].drop_nulls().len() > 0


def test_no_key_of_it_is_listed_as_never_used(both: Office):
    assert both.claude(UnspentKeys).is_empty()
    assert not both.read(UnspentKeys).is_empty()


def test_costs_and_usage_are_covered(both: Office):
    coverage = both.claude(Coverage).filter(pl.col("day") < NOW.date() - timedelta(days=1))
    assert set(coverage["source"]) == {"costs", "usage"}
    assert set(coverage["state"]) == {"settled"}


def test_nothing_is_owed_after_a_backfill_but_the_trailing_days(both: Office):
    assert [one.job_name for one in plan(both.settings, None, NOW)] == [REFRESH]
    assert directories_due(both.settings, NOW.date()) == []


def test_a_settled_day_that_it_changes_is_a_restatement(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    later.wire = AnthropicWire((*BILL[:-1], BILL[-1]._replace(cents="150")))
    assert refreshed(later).is_green
    columns = ["day", "previous_usd", "current_usd", "change_usd"]
    (row,) = later.claude(Restatements).select(columns).rows()
    assert row == (OTHER_DAY, USD[OTHER_DAY], Decimal("1.5"), Decimal("1.5") - USD[OTHER_DAY])
    assert by_day(later.claude(MartSpend))[OTHER_DAY] == Decimal("1.5")
    published = "SELECT current_usd FROM mart.restatements WHERE connection = 'claude'"
    assert later.published(published) == [(Decimal("1.5"),)]


def test_data_that_the_vendor_has_not_refreshed_is_not_settled(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    later.wire = AnthropicWire(refreshed_at=f"{OTHER_DAY}T20:00:00Z")
    assert refreshed(later).is_green
    states = dict(later.claude(Coverage).filter(source="costs").select("day", "state").iter_rows())
    assert (states[DAY], states[OTHER_DAY]) == ("settled", "provisional")
    due = due_days(later.settings, NOW)["claude"]
    assert OTHER_DAY in due
    assert DAY not in due


def test_a_refused_key_fails_its_connection_and_no_other(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    refusal = error(401, "authentication_error", "invalid x-api-key")
    later.wire = AnthropicWire(refusals={"analytics/cost": refusal, "analytics/usage": refusal})
    ran = refreshed(later)
    assert re.search(r"'claude': .* 401 .*invalid x-api-key", refusal_in(ran))
    assert not any(KEY in (event.message or "") for event in ran.result.all_events)
    assert not any(KEY in one.because for one in ran.verdicts)
    assert by_day(later.claude(Spend)) == USD
    assert ran.is_green
    assert ran.of("raw/openai_costs", "read_complete")[str(OTHER_DAY)].passed


def test_another_organizations_key_changes_nothing(both: Office, tmp_path: Path):
    later = moved(both, tmp_path)
    later.wire = AnthropicWire(
        (BILL[-1]._replace(cents="999"),), organization={"id": "org-other", "name": "Other"}
    )
    assert re.search(f"reads org-other, .* {ORG['id']}", refusal_in(refreshed(later)))
    assert by_day(later.claude(Spend)) == USD


def refusal_in(ran: Ran) -> str:
    """Why the bill of Anthropic could not be read."""
    said = ran.of("raw/anthropic_costs", "read_complete")[str(OTHER_DAY)]
    assert not said.passed
    return said.because


def refreshed(later: Office) -> Ran:
    """Refresh the money of a day."""
    with calm():
        defs = build_defs(later.settings, clock=lambda: later.now, reach=later.reach)
        job = job_of(defs, REFRESH, (*MONEY, "raw/anthropic_costs"))
    return executed(job, DayRange(OTHER_DAY, OTHER_DAY))


def moved(both: Office, home: Path) -> Office:
    """The same home, an hour later and elsewhere, so that a test may change it."""
    shutil.copytree(both.settings.home, home / "copy")
    settings = both.settings.model_copy(update={"home": str(home / "copy")})
    return replace(both, settings=settings, now=NOW + timedelta(hours=1), told=[])
