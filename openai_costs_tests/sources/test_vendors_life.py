"""The smaller vendors in one home, through the real graph: read, restated, published, verified.

Each connection is the sample company's account there, answered in this process by the vendor's own
wire. One backfill serves all tests.
"""

import shutil
from collections.abc import Callable, Iterator
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
from openai_costs.definitions import reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.outputs.publish.database import slices_in_flight
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.verification import verify
from openai_costs.sample.api.serving import sample_address
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.openrouter.assets import OPENROUTER
from openai_costs.sources.provider import Provider, Reach, silent
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs_tests.org import NOW, Altered, calm

PROVIDERS = (OPENROUTER,)
FIRST = NOW.date() - timedelta(days=6)
DAY = NOW.date() - timedelta(days=4)
ADDRESS = sample_address(seed=7, days=30, today=NOW.date())
every_vendor = pytest.mark.parametrize("name", [one.name for one in PROVIDERS])


def connected(provider: Provider) -> Connection:
    return provider.connection(
        name=provider.name, provider=provider.name, base_url=ADDRESS, start=FIRST
    )


@dataclass
class Home:
    """A home with an account at each vendor."""

    settings: Settings
    now: datetime = NOW
    alter: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None
    told: list[str] = field(default_factory=list)

    @property
    def headless(self) -> Headless:
        usual, alter = reach_of(lambda: self.now), self.alter

        def inner(one: Connection) -> httpx.BaseTransport | None:
            found = usual.inner(one)
            return Altered(found, alter) if found and alter else found

        return Headless(self.settings, self.told.append, lambda: self.now, Reach(inner))

    def rows(self, table: type[Contract], name: str) -> pl.DataFrame:
        return Lake(place(self.settings.home)).read(table).filter(connection=name)

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
    with calm():
        made.headless.backfill(None)
    return made


def by_day(frame: pl.DataFrame) -> dict[date, Decimal]:
    return dict(frame.group_by("day").agg(pl.col("billed_usd").sum()).iter_rows())


def test_every_settled_day_of_every_vendor_ties_out_with_difference_0(home: Home):
    assert slices_in_flight(Lake(place(home.settings.home))) == []
    with calm():
        assert verify(home.settings, silent).holds


@every_vendor
def test_each_day_adds_up_to_its_control_total_and_is_published(home: Home, name: str):
    control = by_day(home.rows(SpendControl, name))
    billed = {day: usd for day, usd in by_day(home.rows(Spend, name)).items() if usd}
    assert billed == {day: usd for day, usd in control.items() if usd}
    question = f"SELECT sum(billed_usd) FROM mart.spend WHERE connection = '{name}'"  # noqa: S608
    assert home.published(question) == [(sum(control.values()),)]


@every_vendor
def test_a_day_that_is_over_is_covered(home: Home, name: str):
    states = home.rows(Coverage, name).filter(source="costs", day=DAY)["state"]
    assert states.to_list() == ["settled"]


def test_what_openrouter_only_counts_is_no_billed_dollar(home: Home):
    lake = Lake(place(home.settings.home)).uncounted()
    rows = lake.read(Spend).filter(connection="openrouter", host="openai")
    assert set(rows["cost_basis"]) == {"metered"}
    metered = home.rows(SpendControl, "openrouter")["metered_usd"].sum()
    assert rows["billed_usd"].sum() == metered > 0


def test_tokens_of_openrouter_come_with_its_dollars(home: Home):
    assert home.rows(Usage, "openrouter")["output_tokens"].sum() > 0


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


CHANGES = {"openrouter": doubled("/activity", "data", "usage", "byok_usage_inference")}


@every_vendor
def test_a_settled_day_that_changes_is_a_restatement(home: Home, name: str, tmp_path: Path):
    shutil.copytree(home.settings.home, tmp_path / "copy")
    settings = home.settings.model_copy(update={"home": str(tmp_path / "copy")}).only(name)
    later = Home(settings, NOW + timedelta(days=1), CHANGES[name])
    with calm():
        later.headless.backfill(DayRange(DAY, DAY))
    before = by_day(home.rows(MartSpend, name))[DAY]
    (row,) = later.rows(Restatements, name).select("day", "previous_usd", "current_usd").rows()
    assert row[:2] == (DAY, before)
    assert row[2] == pytest.approx(before * 2, abs=Decimal("1e-9"))
