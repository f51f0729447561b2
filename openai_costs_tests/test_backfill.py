from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from openai_costs.archive import Archive, DayRead
from openai_costs.days import DayRange
from openai_costs.jobs import REBUILD, REFRESH
from openai_costs.lake import Lake
from openai_costs.plan import Step, from_kept_pages, plan
from openai_costs.sections import Reading
from openai_costs.settings import Connection, Settings
from openai_costs.slices import Batch, Slice
from openai_costs.storage import place
from openai_costs.tables.mart.spend import Spend

TODAY = date(2026, 3, 20)
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    connections = tuple(
        Connection(name=name, start=date(2026, 3, 1)) for name in ("acme", "harbour")
    )
    return Settings(
        home=str(tmp_path),
        config_file=Path("openai_costs.toml"),
        connections=connections,
        reading=Reading(trailing_days=2),
    )


def have(settings: Settings, name: str, days: DayRange) -> None:
    """Give a connection the last table of a run."""
    slices = {Slice(name, day): NOON for day in days}
    Lake(place(settings.home)).replace(Spend, [Batch(Spend.no_rows(), slices)])


def keep(settings: Settings, name: str, day: date) -> None:
    """Give a connection the kept pages of a day."""
    bodies = {"ledger": b"{}", "control": b"{}"}
    requests = {part: ("/organization/costs", [], []) for part in bodies}
    read = DayRead("openai", name, "costs", day, NOON, requests, bodies)
    Archive(place(settings.home)).keep(read)


def told(steps: list[Step]) -> list[tuple[str, str, str]]:
    return [
        (step.job_name, ",".join(c.name for c in step.settings.asked_connections), str(step.days))
        for step in steps
    ]


TRAILING = (REFRESH, "acme,harbour", "2026-03-18 to 2026-03-20")


def test_a_range_asked_for_is_read_from_every_connection_at_once(settings: Settings) -> None:
    asked = DayRange(date(2026, 3, 2), date(2026, 3, 4))
    assert told(plan(settings, asked, TODAY)) == [
        (REFRESH, "acme,harbour", "2026-03-02 to 2026-03-04")
    ]


def test_a_connection_that_misses_days_does_not_make_the_other_read_again(
    settings: Settings,
) -> None:
    have(settings, "acme", DayRange(date(2026, 3, 1), TODAY))
    assert told(plan(settings, None, TODAY)) == [
        (REFRESH, "harbour", "2026-03-01 to 2026-03-17"),
        TRAILING,
    ]


def test_days_with_kept_pages_are_made_without_a_request(settings: Settings) -> None:
    have(settings, "acme", DayRange(date(2026, 3, 1), TODAY))
    have(settings, "harbour", DayRange(date(2026, 3, 4), TODAY))
    keep(settings, "harbour", date(2026, 3, 2))
    assert told(plan(settings, None, TODAY)) == [
        (REBUILD, "harbour", "2026-03-02"),
        (REFRESH, "harbour", "2026-03-01"),
        (REFRESH, "harbour", "2026-03-03"),
        TRAILING,
    ]


def test_when_nothing_is_missing_only_the_trailing_days_are_read(settings: Settings) -> None:
    for name in ("acme", "harbour"):
        have(settings, name, DayRange(date(2026, 3, 1), TODAY))
    assert told(plan(settings, None, TODAY)) == [TRAILING]


def test_offline_means_every_kept_day_and_no_other(settings: Settings) -> None:
    assert from_kept_pages(settings, None, TODAY) == []
    keep(settings, "acme", date(2026, 3, 5))
    keep(settings, "harbour", date(2026, 3, 6))
    assert told(from_kept_pages(settings, None, TODAY)) == [
        (REBUILD, "acme,harbour", "2026-03-05 to 2026-03-06")
    ]
