"""The smaller vendors in one home, through the real graph: read, restated, published, verified.

Each connection is the sample company's account there, answered in this process by the vendor's own
wire. One home serves all tests.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import msgspec
import polars as pl
import pytest
import stamina

from openai_costs.cli.backfill import Headless
from openai_costs.cli.backfill_names import directories_due
from openai_costs.definitions import build_defs, reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import REFRESH
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.verification import verify
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.sample.api.serving import sample_address, sample_at
from openai_costs.sample.chatgpt_workspace.events import log_files
from openai_costs.sample.vendors import VENDORS
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.chatgpt_workspace.assets import CHATGPT_WORKSPACE
from openai_costs.sources.github_copilot.assets import GITHUB_COPILOT
from openai_costs.sources.litellm.assets import LITELLM
from openai_costs.sources.openrouter.assets import OPENROUTER
from openai_costs.sources.provider import Provider, Reach, silent
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.spend import COST_BASES, Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.seats import Seats
from openai_costs_tests.org import (
    MONEY,
    NOW,
    Altered,
    calm,
    executed,
    filled,
    job_of,
    only_money,
)
from openai_costs_tests.provider_table import keeps_its_promise

PROVIDERS = (OPENROUTER, GITHUB_COPILOT, CHATGPT_WORKSPACE, LITELLM)
ORGANIZATIONS = {one.provider: one.organization_id or None for one in VENDORS}
FIRST = NOW.date() - timedelta(days=6)
DAY = NOW.date() - timedelta(days=4)
ADDRESS = sample_address(seed=7, days=30, today=NOW.date())
MORE = {"chatgpt_workspace": {"usd_per_credit": "0.04"}}
every_vendor = pytest.mark.parametrize("name", [one.name for one in PROVIDERS])


def connected(provider: Provider) -> Connection:
    return provider.connection.model_validate(
        {
            "name": provider.name,
            "base_url": ADDRESS,
            "start": FIRST,
            "organization_id": ORGANIZATIONS[provider.name],
            **MORE.get(provider.name, {}),
        }
    )


@dataclass
class Home:
    """A home with an account at each vendor."""

    settings: Settings
    now: datetime = NOW
    changes: Mapping[str, Callable[..., httpx.Response]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def headless(self) -> Headless:
        return Headless(self.settings, self.told.append, lambda: self.now, self.reach)

    @property
    def reach(self) -> Reach:
        usual = reach_of(lambda: self.now)

        def inner(one: Connection) -> httpx.BaseTransport | None:
            found, change = usual.inner(one), self.changes.get(one.name)
            return Altered(found, change) if found and change else found

        return Reach(inner)

    def rows(self, table: type[Contract], name: str) -> pl.DataFrame:
        return Lake(place(self.settings.home)).uncounted().read(table).filter(connection=name)

    def published(self, question: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(Path(self.settings.home) / DATABASE), read_only=True) as sql:
            return sql.execute(question).fetchall()


@pytest.fixture(scope="module", autouse=True)
def surroundings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, stamina.set_testing(True, attempts=2, cap=True):
        patch.delenv("DAGSTER_HOME", raising=False)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("vendors")
    connections = tuple(map(connected, PROVIDERS))
    made = Home(
        Settings(home=str(folder), config_file=folder / "none.toml", connections=connections)
    )
    with only_money("mart/seats"):
        filled(made.headless, *directories_due(made.settings, NOW.date()))
    return made


def by_day(frame: pl.DataFrame) -> dict[date, Decimal]:
    return dict(frame.group_by("day").agg(pl.col("billed_usd").sum()).iter_rows())


def test_every_settled_day_of_every_vendor_ties_out_with_difference_0(home: Home):
    assert slices_in_flight(Lake(place(home.settings.home))) == []
    with calm():
        assert verify(home.settings, silent).holds


@every_vendor
def test_each_day_adds_up_to_its_control_total_of_each_cost_basis(home: Home, name: str):
    control, ledger = home.rows(SpendControl, name), home.rows(Spend, name)
    assert ledger.height > 0
    for basis in COST_BASES:
        totals = dict(control.select("day", f"{basis}_usd").iter_rows())
        sums = by_day(ledger.filter(cost_basis=basis))
        assert {day: usd for day, usd in sums.items() if usd} == {
            day: usd for day, usd in totals.items() if usd
        }


@every_vendor
def test_the_ledger_names_whom_and_what_the_paper_promises(home: Home, name: str):
    assert keeps_its_promise(name, home.rows(Spend, name))


@every_vendor
def test_billed_dollars_and_no_others_are_published_as_spend(home: Home, name: str):
    billed = home.rows(SpendControl, name)["billed_usd"].sum()
    question = "SELECT coalesce(sum(billed_usd), 0) FROM mart.spend WHERE connection = '{}'"
    assert home.published(question.format(name)) == [(billed,)]
    assert (billed > 0) == (name in {"openrouter", "github_copilot"})


@every_vendor
def test_a_day_that_is_over_is_covered(home: Home, name: str):
    states = home.rows(Coverage, name).filter(source="costs", day=DAY)["state"]
    assert states.to_list() == ["settled"]


def test_what_a_proxy_metered_is_no_billed_dollar(home: Home):
    rows = home.rows(Spend, "litellm")
    assert set(rows["cost_basis"]) == {"metered"}
    assert rows["billed_usd"].sum() > 0


def test_what_openrouter_only_counts_is_no_billed_dollar(home: Home):
    rows = home.rows(Spend, "openrouter").filter(host="openai")
    assert set(rows["cost_basis"]) == {"metered"}
    metered = home.rows(SpendControl, "openrouter")["metered_usd"].sum()
    assert rows["billed_usd"].sum() == metered > 0


def test_tokens_of_openrouter_come_with_its_dollars(home: Home):
    assert home.rows(Usage, "openrouter")["output_tokens"].sum() > 0


def test_copilot_says_who_used_it_and_who_holds_a_seat(home: Home):
    billed = home.rows(Spend, "github_copilot").filter(day=DAY)
    assert set(billed["user_id"].drop_nulls()) == {
        "kaveh-n",
        "lucia-f",
        "ruben-k",
        "signe-h",
        "hyejin-p",
    }
    assert (billed["list_usd"].sum(), billed["billed_usd"].sum()) > (Decimal(1), Decimal(1))
    seats = home.rows(Seats, "github_copilot")
    assert dict(seats.select("user_id", "last_active_day").iter_rows())["olu-a"] is None
    assert seats.height == 6


def test_chatgpt_says_who_uses_it_and_its_dollars_are_estimated(home: Home):
    rows = home.rows(Spend, "chatgpt_workspace").filter(day=DAY)
    assert set(rows["cost_basis"]) == {"estimated"}
    assert rows["billed_usd"].sum() == rows["quantity"].sum() * Decimal("0.04") > 0
    assert set(rows["user_id"].drop_nulls()) == {
        *("user-signe", "user-ruben", "user-ines", "user-olu")
    }
    names = dict(home.rows(Seats, "chatgpt_workspace").select("user_id", "name").iter_rows())
    assert names["user-signe"] == "Signe Hallstrom"


def doubled(path: str, list_name: str, *amounts: str) -> Callable[..., httpx.Response]:
    """What doubles some amounts of a vendor's answers."""

    def alter(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        response.read()
        if not request.url.path.endswith(path):
            return response
        body = msgspec.json.decode(response.content)
        for row in body[list_name]:
            for amount in amounts:
                row[amount] *= 2
        return httpx.Response(200, content=msgspec.json.encode(body))

    return alter


def doubled_meter(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """The sums of a proxy with every spend doubled."""
    response.read()
    return httpx.Response(200, content=msgspec.json.encode(_doubled(response.json())))


def _doubled(found: Any) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(found, dict):
        return [*map(_doubled, found)] if isinstance(found, list) else found
    return {
        name: value * 2 if name == "spend" else _doubled(value) for name, value in found.items()
    }


def dearer(body: bytes) -> bytes:
    """A file of events in which a code review costs twice as many credits."""
    return body.replace(b'"value":25,"unit":"CREDITS"', b'"value":50,"unit":"CREDITS"')


def dearer_reviews(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """The files of ChatGPT with dearer code reviews, and their digests in the list."""
    since = NOW - timedelta(days=30)
    files = {one.id: one for one in log_files(sample_at(ADDRESS), since, NOW + timedelta(days=1))}
    *_, parent, last = request.url.path.split("/")
    if parent == "downloads":
        return httpx.Response(200, content=dearer(files[last].body))
    if last != "logs":
        return response
    response.read()
    page = msgspec.json.decode(response.content)
    for one in page["data"]:
        one["file_sha256"] = hashlib.sha256(dearer(files[one["id"]].body)).hexdigest()
    return httpx.Response(200, content=msgspec.json.encode(page))


CHANGES: dict[str, Callable[..., httpx.Response]] = {
    "openrouter": doubled("/activity", "data", "usage", "byok_usage_inference"),
    "chatgpt_workspace": dearer_reviews,
    "litellm": doubled_meter,
    "github_copilot": doubled("/usage", "usageItems", "netAmount", "grossAmount"),
}


@pytest.fixture(scope="module")
def later(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same home elsewhere, after a day that every vendor changed was read again."""
    folder = tmp_path_factory.mktemp("later") / "home"
    shutil.copytree(home.settings.home, folder)
    settings = home.settings.model_copy(update={"home": str(folder)})
    made = Home(settings, NOW + timedelta(days=1), CHANGES)
    pages = [one.costs.pages.key.to_user_string() for one in PROVIDERS]
    money = [key for key in MONEY if not key.startswith("raw/")]
    with calm():
        defs = build_defs(settings, clock=lambda: made.now, reach=made.reach)
        job = job_of(defs, REFRESH, [*pages, *money])
    ran = executed(job, DayRange(DAY, DAY))
    assert ran.is_green, ran.failures
    return made


@every_vendor
def test_a_settled_day_that_changes_is_a_restatement(home: Home, later: Home, name: str):
    before = home.rows(Spend, name).filter(day=DAY)["billed_usd"].sum()
    changed = later.rows(Restatements, name)
    assert set(changed["day"]) == {DAY}
    assert set(changed["cost_basis"]) == set(home.rows(Spend, name)["cost_basis"])
    assert changed["previous_usd"].sum() == before
    assert (changed["change_usd"] > 0).all()
