from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from openai_costs.cli.backfill_order import newest_first, past_the_beginning, publications
from openai_costs.cli.backfill_plan import Step
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import REBUILD, REFRESH
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import keep_refusal
from openai_costs.sources.due_days import EMPTY_DAYS, due_days, first_owed_day
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs_tests.cli.test_backfill import NOON

NEWEST = date(2026, 11, 28)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=str(tmp_path / "home"),
        config_file=Path("openai_costs.toml"),
        connections=(
            OpenAIConnection(name="acme"),
            OpenAIConnection(name="harbour", start=date(2026, 1, 1)),
        ),
    )


def step(settings: Settings, first: str, last: str, name: str = "", job: str = REFRESH) -> Step:
    asked = settings.only(name) if name else settings
    days = DayRange(date.fromisoformat(first), date.fromisoformat(last))
    return Step(asked, job, days, is_open=name == "acme")


def days_of(steps: Sequence[Step]) -> list[str]:
    return [
        f"{','.join(one.name for one in step.settings.asked_connections)} {step.days}"
        for step in steps
    ]


def test_the_newest_month_is_one_step_for_all_connections_and_history_follows(
    settings: Settings,
) -> None:
    plan = [
        step(settings, "2025-11-01", "2026-11-20", "acme"),
        step(settings, "2026-01-01", "2026-11-20", "harbour"),
        step(settings, "2026-11-21", "2026-11-28"),
    ]
    assert days_of(newest_first(plan)) == [
        "acme,harbour 2026-10-29 to 2026-11-28",
        "acme 2026-05-02 to 2026-10-28",
        "harbour 2026-01-01 to 2026-10-28",
        "acme 2025-11-03 to 2026-05-01",
        "acme 2025-11-01 to 2025-11-02",
    ]


def test_history_that_all_connections_owe_is_one_step(settings: Settings) -> None:
    plan = [
        step(settings, "2026-10-26", "2026-11-28"),
        *(
            step(settings, "2026-01-01", "2026-10-25", name, REBUILD)
            for name in ("acme", "harbour")
        ),
        step(settings, "2025-12-01", "2025-12-31", "harbour"),
    ]
    plan = [one._replace(is_open=False) for one in plan]
    assert days_of(newest_first(plan)) == [
        "acme,harbour 2026-10-29 to 2026-11-28",
        "acme,harbour 2026-10-26 to 2026-10-28",
        "acme,harbour 2026-01-01 to 2026-10-25",
        "harbour 2025-12-01 to 2025-12-31",
    ]


def test_no_day_is_lost_or_made_twice_by_ordering(settings: Settings) -> None:
    plan = [
        step(settings, "2025-03-03", "2026-10-01", "acme"),
        step(settings, "2026-10-02", "2026-10-05", "acme", REBUILD),
        step(settings, "2026-10-06", "2026-11-20", "acme"),
        step(settings, "2026-11-21", "2026-11-28"),
    ]

    def made(steps: Sequence[Step]) -> list[tuple[str, date]]:
        return sorted(
            (one.name, day)
            for step in steps
            for one in step.settings.asked_connections
            for day in step.days
        )

    assert made(newest_first(plan)) == made(plan)


def test_a_range_of_a_month_stays_one_step(settings: Settings) -> None:
    plan = [step(settings, "2026-11-01", "2026-11-28")]
    assert newest_first(plan) == plan
    assert publications(plan) == [plan]


def test_history_is_published_apart_from_the_newest_month(settings: Settings) -> None:
    ordered = newest_first([step(settings, "2026-01-01", "2026-11-28")])
    newest, history = publications(ordered)
    assert days_of(newest) == ["acme,harbour 2026-10-29 to 2026-11-28"]
    assert days_of(history) == ["acme,harbour 2026-01-01 to 2026-10-28"]


def stored(settings: Settings, days: DayRange) -> Lake:
    lake = Lake(place(settings.home))
    lake.replace(Spend, [Batch(Spend.no_rows(), {Slice("acme", day): NOON for day in days})])
    return lake


def test_reading_back_stops_at_a_window_without_costs_and_names_the_way_on(
    settings: Settings,
) -> None:
    empty = DayRange(NEWEST - timedelta(days=EMPTY_DAYS - 1), NEWEST)
    lake = stored(settings, empty)
    older = step(settings, "2024-01-01", str(empty.first - timedelta(days=1)), "acme")
    reason = (
        "acme: no costs from 2026-06-02 to 2026-11-28, so older days are not read. If there are "
        "older costs, set `start` of 'acme' to the day they begin."
    )
    assert past_the_beginning(older, lake) == (None, [reason])
    asked = older._replace(is_open=False)
    assert past_the_beginning(asked, lake) == (asked, [])


def test_the_other_connections_of_a_window_are_read_on(settings: Settings) -> None:
    lake = stored(settings, DayRange(NEWEST - timedelta(days=EMPTY_DAYS - 1), NEWEST))
    both = step(settings, "2024-01-01", "2026-01-01")._replace(is_open=True)
    left, (reason,) = past_the_beginning(both, lake)
    assert left is not None
    assert reason.startswith("acme: no costs from ")
    assert [one.name for one in left.settings.asked_connections] == ["harbour"]
    assert left.days == both.days


def test_the_second_connection_of_an_organization_is_not_read_back(settings: Settings) -> None:
    acme, harbour = settings.connections
    home = place(settings.home)
    keep_refusal(Archive(home), harbour, "'harbour' reads what 'acme' reads too", acme.name)
    both = step(settings, "2024-01-01", "2026-01-01")._replace(is_open=True)
    left, reasons = past_the_beginning(both, Lake(home))
    assert left is not None
    assert [one.name for one in left.settings.asked_connections] == ["acme"]
    assert reasons == ["harbour: acme counts its organization, so older days are not read twice."]
    assert due_days(settings, NOON)["harbour"] == set()


@pytest.mark.parametrize("days", [EMPTY_DAYS - 1, 1])
def test_a_shorter_time_without_costs_stops_nothing(settings: Settings, days: int) -> None:
    lake = stored(settings, DayRange(NEWEST - timedelta(days=days - 1), NEWEST))
    assert first_owed_day(lake.slices(Spend), "acme") is None
    older = step(settings, "2024-01-01", "2026-01-01", "acme")._replace(is_open=True)
    assert past_the_beginning(older, lake) == (older, [])
