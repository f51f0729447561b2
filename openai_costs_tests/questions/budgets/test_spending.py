from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.questions.budgets.spending import read_status
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.questions.budgets.ledger import budget, covered, forecast_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_costs.settings import Budget
    from openai_costs.tables.contract import Contract

DAYS = DayRange(date(2026, 10, 1), date(2026, 11, 4))
NOVEMBER = date(2026, 11, 1)
READ = datetime(2026, 11, 6, tzinfo=UTC)
TINY = Decimal("20.000000000000000001")


def line(day: date, name: str, usd: Decimal | str, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    """Dollars of a day by a key, its user and its model, all of one name."""
    return {
        "day": day,
        "connection": "acme",
        "provider": "openai",
        "project_id": "proj",
        "project_name": "Search",
        "api_key_id": f"key_{name}",
        "api_key_name": name,
        "user_id": f"user_{name}",
        "user_name": name.title(),
        "team": "labs",
        "model": f"model-{name}",
        "usage_type": "output",
        "billed_usd": Decimal(usd),
        "attribution": "direct",
    } | other


def write(lake: Lake, table: type[Contract], lines: list[dict[str, Any]], days: list[date]) -> None:
    made = pl.DataFrame(lines, infer_schema_length=None)
    absent = [pl.lit(None).alias(name) for name in table.types() if name not in made.columns]
    kept = made.with_columns(absent).select(
        pl.col(name).cast(kind) for name, kind in table.types().items()
    )
    done = lake.replace(table, [Batch(kept, {Slice("acme", day): READ for day in days})])
    assert not done.refused


@pytest.fixture(scope="module", autouse=True)
def forecast_once() -> Iterator[None]:
    with forecast_on(1):
        yield


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Ten dollars a day of `etl`, and since November twenty more of `agent`."""
    made = Lake(place(str(tmp_path)))
    lines = [line(day, "etl", "10") for day in DAYS]
    lines += [line(day, "agent", TINY) for day in DAYS if day >= NOVEMBER]
    lines.append(line(NOVEMBER, "o'brien", "1", project_id="other", team="o'brien"))
    for table in (Spend, SpendAttribution):
        write(made, table, lines, list(DAYS))
    made.replace_whole(Coverage, covered(*(("acme", day, "settled") for day in DAYS)))
    return made


def newest(lake: Lake, one: Budget) -> dict[str, Any]:
    return read_status(lake, [one]).row(-1, named=True)


def test_what_a_scope_spent_is_exact_and_its_cause_is_named(lake: Lake) -> None:
    row = newest(lake, budget("100", scope="project", id="proj"))
    assert row["spent_usd"] == Decimal("120.000000000000000004")
    assert (row["state"], row["scope_name"], row["compared_usd"]) == ("exceeded", "Search", 40)
    assert row["compared_start"] == date(2026, 10, 1)
    grew = {"impact_usd": "80.000000000000000004"}
    assert json.loads(row["causes"]) == [
        {"dimension": "api_key", "id": "key_agent", "name": "agent"} | grew,
        {"dimension": "model", "id": "model-agent"} | grew,
    ]


@pytest.mark.parametrize("said", [{}, {"scope": "team", "id": "labs"}])
def test_a_refund_counts_in_what_was_spent_and_in_no_day_ahead(
    lake: Lake, said: dict[str, Any]
) -> None:
    one = budget("900", **said)
    without = newest(lake, one)
    refund = line(DAYS.last, "etl", "-6", model=None, usage_type=None)
    lines = [line(DAYS.last, "etl", "10"), line(DAYS.last, "agent", TINY), refund]
    for table in (Spend, SpendAttribution):
        write(lake, table, lines, [DAYS.last])
    row = newest(lake, one)
    for name in ("spent_usd", "forecast_usd", "forecast_low_usd", "forecast_high_usd"):
        assert row[name] == without[name] - 6


def test_the_keys_of_a_user_are_called_by_their_names(lake: Lake) -> None:
    key = json.loads(newest(lake, budget("0.5", scope="user", id="user_agent"))["causes"])[0]
    assert (key["dimension"], key["id"], key["name"]) == ("api_key", "key_agent", "agent")


@pytest.mark.parametrize(
    ("said", "spent", "who"),
    [
        ({}, "121", "api_key key_agent"),
        ({"scope": "provider", "id": "openai"}, "121", "api_key key_agent"),
        ({"scope": "connection", "id": "acme"}, "121", "api_key key_agent"),
        ({"connection": "acme"}, "121", "api_key key_agent"),
        ({"scope": "team", "id": "labs"}, "120", "user user_agent"),
        ({"scope": "team", "id": "o'brien"}, "1", "user user_o'brien"),
        ({"scope": "user", "id": "user_agent"}, "80", "api_key key_agent"),
        ({"scope": "api_key", "id": "key_agent"}, "80", "model model-agent"),
        ({"scope": "model", "id": "model-agent"}, "80", "api_key key_agent"),
        ({"scope": "model", "ids": ["model-agent", "model-etl"]}, "120", "api_key key_agent"),
        ({"scope": "project", "ids": ["proj", "other"]}, "121", "api_key key_agent"),
    ],
)
def test_every_scope_counts_its_own_and_names_who(
    lake: Lake, said: dict[str, Any], spent: str, who: str
) -> None:
    row = newest(lake, budget("0.5", **said))
    assert row["spent_usd"].quantize(Decimal("1E-6")) == Decimal(spent)
    first = json.loads(row["causes"])[0]
    assert f"{first['dimension']} {first['id']}" == who


def test_budgets_that_are_asked_for_together_count_what_each_counts_alone(lake: Lake) -> None:
    some = [
        budget("9", name="it's all"),
        budget("9", name="weeks", period="weekly", scope="project", id="proj"),
        budget("9", name="two", scope="project", ids=["proj", "other"]),
        budget("9", name="agent", scope="user", id="user_agent"),
        budget("9", name="labs", scope="team", id="labs", start=NOVEMBER),
    ]
    spent = ["budget", "day", "scope_name", "spent_usd", "causes"]
    alone = pl.concat([read_status(lake, [one]) for one in some]).sort("budget", "day")
    assert read_status(lake, some).select(spent).equals(alone.select(spent))


def test_many_budgets_are_asked_for_some_at_a_time(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, budgets_asked = Lake.ask, list[int]()

    def counted(self: Lake, table: type[Contract], question: str, schema: pl.Schema) -> Any:  # noqa: ANN401 - a frame
        budgets_asked.append(question.count(" AS budget"))
        return ask(self, table, question, schema)

    monkeypatch.setattr(Lake, "ask", counted)
    monkeypatch.setattr(f"{read_status.__module__}.BUDGETS_AT_ONCE", 2)
    found = read_status(lake, [budget("999", name=name) for name in "abc"])
    assert budgets_asked == [2, 1]
    assert found.filter(day=DAYS.last)["spent_usd"].to_list() == [121 + 4 * (TINY - 20)] * 3


def test_a_budget_of_a_provider_counts_that_provider_alone(lake: Lake) -> None:
    three = {"openai": "1", "anthropic": "2", "google": "4"}
    lines = [line(day, made, usd, provider=made) for day in DAYS for made, usd in three.items()]
    for table in (Spend, SpendAttribution):
        write(lake, table, lines, list(DAYS))
    days_of_november = 4
    for made, usd in three.items():
        row = newest(lake, budget("1", scope="provider", id=made))
        assert row["spent_usd"] == days_of_november * Decimal(usd)
        assert json.loads(row["causes"])[0]["id"] == f"key_{made}"
    two = newest(lake, budget("1", scope="provider", ids=["anthropic", "google"]))
    assert two["spent_usd"] == days_of_november * 6


def test_budgets_within_one_another_need_not_add_up(lake: Lake) -> None:
    labs = budget("400", name="labs", scope="team", id="labs")
    rows = read_status(lake, [budget("500"), labs, budget("1", name="again")])
    spent = dict(rows.group_by("budget").agg(pl.col("spent_usd").last()).rows())
    assert spent["again"] == spent["all"] == spent["labs"] + 1


def test_days_that_were_not_read_are_not_compared_with(lake: Lake) -> None:
    gone = date(2026, 10, 2)
    known = [("acme", day, "missing" if day == gone else "settled") for day in DAYS]
    lake.replace_whole(Coverage, covered(*known))
    row = newest(lake, budget("100"))
    assert (row["compared_usd"], row["compared_start"]) == (None, None)
    assert json.loads(row["causes"])[0]["impact_usd"] == "80.000000000000000004"


def test_days_before_a_connection_was_first_read_are_not_compared_with(lake: Lake) -> None:
    """What it spent then is nowhere: all of it would look like growth."""
    later = [("labs", day, "missing" if day < NOVEMBER else "settled") for day in DAYS]
    both = [*(("acme", day, "settled") for day in DAYS), *later]
    lake.replace_whole(Coverage, covered(*both))
    row, alone = newest(lake, budget("100")), newest(lake, budget("100", connection="acme"))
    assert (row["spent_usd"], row["compared_usd"]) == (alone["spent_usd"], None)
    assert alone["compared_usd"] == 40


def test_on_track_needs_no_cause(lake: Lake) -> None:
    assert newest(lake, budget("9000"))["causes"] is None


def test_a_name_that_is_an_address_is_no_name(lake: Lake) -> None:
    names = {"api_key_name": "ann@acme.example", "project_name": "bob@acme.example"}
    write(lake, Spend, [line(DAYS.last, "x", "99", **names)], [DAYS.last])
    row = newest(lake, budget("100", scope="project", id="proj"))
    assert "key_x" in row["causes"]
    assert "@" not in row["causes"]
    assert row["scope_name"] == "Search"


def test_no_budget_and_an_empty_lake_are_no_rows(lake: Lake, tmp_path: Path) -> None:
    assert read_status(lake, []).is_empty()
    assert read_status(Lake(place(str(tmp_path / "empty"))), [budget()]).is_empty()


def test_whoever_is_not_in_the_ledger_spent_nothing(lake: Lake) -> None:
    row = newest(lake, budget(scope="user", id="user_nobody"))
    assert (row["spent_usd"], row["state"], row["scope_name"]) == (0, "on_track", None)
