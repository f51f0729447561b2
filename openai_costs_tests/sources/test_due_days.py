from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from openai_costs.cli.backfill_plan import plan
from openai_costs.kernel.days import DayRange, naive
from openai_costs.orchestration.jobs import REBUILD, REFRESH
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.settings import Reading
from openai_costs.settings.load import Settings
from openai_costs.sources.due_days import EMPTY_DAYS, due_days, overdue_days, where_begun
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.openrouter.settings import OpenRouterConnection
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ALL_DAYS = DayRange(date(2026, 3, 1), date(2026, 3, 20))


def day(number: int) -> date:
    return date(2026, 3, number)


def at(number: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, number, hour, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return with_reading(tmp_path, trailing_days=1)


def with_reading(home: Path, **reading: int) -> Settings:
    connections = tuple(
        OpenAIConnection(name=name, start=ALL_DAYS.first) for name in ("acme", "harbour")
    )
    return Settings(
        home=str(home),
        config_file=Path("openai_costs.toml"),
        connections=connections,
        reading=Reading(**reading),
    )


def store(
    settings: Settings, days: DayRange, read_at: datetime, *, name: str = "acme", used: bool = False
) -> None:
    slices = {Slice(name, one): read_at for one in days}
    for table in (Usage,) if used else TOGETHER:
        Lake(place(settings.home)).replace(table, [Batch(table.no_rows(), slices)])


def one(number: int) -> DayRange:
    return DayRange(day(number), day(number))


def steps(settings: Settings, now: datetime = NOW) -> list[tuple[str, str]]:
    alone = settings.only("acme")
    return [(step.job_name, str(step.days)) for step in plan(alone, None, now)]


def test_a_day_read_before_it_had_settled_is_due_outside_the_trailing_window(
    settings: Settings,
) -> None:
    store(settings, ALL_DAYS, at(20))
    store(settings, one(9), at(10))
    assert due_days(settings, NOW)["acme"] == {day(9), day(19), day(20)}
    assert steps(settings) == [(REFRESH, "2026-03-09"), (REFRESH, "2026-03-19 to 2026-03-20")]


def test_a_day_read_once_it_had_settled_is_not_due_again(settings: Settings) -> None:
    store(settings, ALL_DAYS, at(20))
    store(settings, one(9), at(11, 0))
    assert due_days(settings, NOW)["acme"] == {day(19), day(20)}


def test_a_day_that_takes_longer_to_settle_than_the_trailing_window_lasts_stays_due(
    tmp_path: Path,
) -> None:
    settings = with_reading(tmp_path, trailing_days=1, settle_hours=96)
    store(settings, ALL_DAYS, NOW)
    assert due_days(settings, NOW)["acme"] == {*DayRange(day(16), day(20))}
    assert steps(settings) == [
        (REFRESH, "2026-03-16 to 2026-03-18"),
        (REFRESH, "2026-03-19 to 2026-03-20"),
    ]


def test_a_provisional_day_with_settled_pages_is_made_from_them(settings: Settings) -> None:
    store(settings, ALL_DAYS, at(20))
    store(settings, one(9), at(10))
    read = DayRead("openai", "acme", "costs", day(9), at(12), {}, {"ledger": b"{}"})
    Archive(place(settings.home)).keep(read)
    assert steps(settings)[0] == (REBUILD, "2026-03-09")


def test_a_settled_day_with_a_newer_read_than_its_tables_is_made_from_it(
    settings: Settings,
) -> None:
    store(settings, ALL_DAYS, at(20))
    archive = Archive(place(settings.home))
    for hour in (10, 12, 11):  # the third read is the newest, whatever its clock said
        read = DayRead("openai", "acme", "costs", day(9), at(20, hour), {}, {"ledger": b"{}"})
        archive.keep(read)
    assert day(9) in due_days(settings, NOW)["acme"]
    assert steps(settings)[0] == (REBUILD, "2026-03-09")
    store(settings, one(9), at(20, 11))
    assert day(9) not in due_days(settings, NOW)["acme"]


def test_a_day_whose_data_was_not_complete_when_it_was_read_is_read_again(
    settings: Settings,
) -> None:
    store(settings, ALL_DAYS, at(20))
    late = {"connection": "acme", "day": day(9), "billed_usd": Decimal(1), "read_at": naive(at(20))}
    row = pl.DataFrame([{**late, "is_settled": False}], schema=SpendControl.types())
    Lake(place(settings.home)).replace(SpendControl, [Batch(row, {Slice("acme", day(9)): at(20)})])
    read = DayRead("openai", "acme", "costs", day(9), at(20), {}, {"ledger": b"{}"})
    Archive(place(settings.home)).keep(read)
    assert day(9) in due_days(settings, NOW)["acme"]
    assert steps(settings)[0] == (REFRESH, "2026-03-09")


def test_a_read_from_after_now_does_not_settle_its_day(settings: Settings) -> None:
    ahead = NOW + timedelta(days=400)
    store(settings, ALL_DAYS, at(20))
    store(settings, one(9), ahead)
    read = DayRead("openai", "acme", "costs", day(9), ahead, {}, {"ledger": b"{}"})
    Archive(place(settings.home)).keep(read)
    assert steps(settings)[0] == (REFRESH, "2026-03-09")


def test_days_that_have_not_come_are_never_due_and_not_made_again(settings: Settings) -> None:
    store(settings, ALL_DAYS, at(20))
    ahead = NOW + timedelta(days=400)
    for table in TOGETHER[:3]:  # as a run leaves it that was killed under a clock ahead
        slices = {Slice("acme", date(2027, 4, 1)): ahead}
        Lake(place(settings.home)).replace(table, [Batch(table.no_rows(), slices)])
    assert steps(settings) == [(REFRESH, "2026-03-19 to 2026-03-20")]


def test_usage_read_before_its_day_had_settled_is_due_as_costs_are(settings: Settings) -> None:
    store(settings, ALL_DAYS, at(20))
    store(settings, ALL_DAYS, at(20), used=True)
    store(settings, one(7), at(8), used=True)
    assert due_days(settings, NOW)["acme"] == {day(7), day(19), day(20)}


def test_what_the_schedule_finds_overdue_is_what_the_backfill_finds_due(settings: Settings) -> None:
    store(settings, DayRange(day(5), day(20)), at(20))
    store(settings, one(9), at(10))
    assert overdue_days(settings, NOW) == {day(9), day(19), day(20)}
    assert due_days(settings, NOW)["acme"] - overdue_days(settings, NOW) == {
        *DayRange(day(1), day(4))
    }


def test_history_that_was_never_read_is_left_to_a_person(settings: Settings) -> None:
    store(settings, one(9), at(20), name="harbour")
    assert min(overdue_days(settings, NOW)) == day(10)
    assert overdue_days(settings.only("acme"), NOW) == set()


def test_history_that_is_kept_and_in_no_table_is_made_by_the_schedule(settings: Settings) -> None:
    store(settings, DayRange(day(15), day(20)), at(20))
    read = DayRead("openai", "acme", "costs", day(9), at(20), {}, {"ledger": b"{}"})
    Archive(place(settings.home)).keep(read)
    assert overdue_days(settings, NOW) == {*DayRange(day(9), day(14)), day(19), day(20)}


def test_days_before_half_a_year_without_costs_are_due_only_where_the_settings_name_a_start(
    settings: Settings,
) -> None:
    acme, harbour = settings.connections
    open_ended = acme.model_copy(update={"start": None})
    dated = harbour.model_copy(update={"start": date(2025, 1, 1)})
    settings = settings.model_copy(update={"connections": (open_ended, dated)})
    empty = DayRange(NOW.date() - timedelta(days=EMPTY_DAYS), NOW.date() - timedelta(days=1))
    for name in ("acme", "harbour"):
        store(settings, empty, NOW, name=name)
    due = due_days(settings, NOW)
    assert min(due["acme"]) >= empty.first
    assert min(due["harbour"]) == date(2025, 1, 1)


def test_a_day_that_its_provider_has_deleted_is_due_once_more_only_where_a_read_is_kept(
    tmp_path: Path,
) -> None:
    now = datetime(2026, 5, 10, 12, tzinfo=UTC)
    router = OpenRouterConnection(name="acme", start=day(1))
    settings = with_reading(tmp_path).model_copy(update={"connections": (router,)})
    store(settings, one(2), at(2))
    kept = DayRead("openrouter", "acme", "costs", day(3), at(4), {}, {"ledger": b"{}"})
    Archive(place(settings.home)).keep(kept)
    due = due_days(settings, now)["acme"]
    assert min(due - {day(3)}) == now.date() - timedelta(days=30)
    assert day(3) in due


def test_days_before_half_a_year_without_costs_are_not_missing() -> None:
    first, begins = date(2024, 1, 1), date(2026, 5, 1)
    quiet = [("acme", begins + timedelta(days=i), 0) for i in range(EMPTY_DAYS)]
    ledger = pl.DataFrame(quiet, ["connection", "day", "rows"], orient="row")
    open_ended, dated = OpenAIConnection(name="acme"), OpenAIConnection(name="acme", start=first)
    assert where_begun({"acme": first}, [open_ended], ledger) == {"acme": begins}
    assert where_begun({"acme": first}, [dated], ledger) == {"acme": first}
    assert where_begun({"acme": first}, [open_ended], ledger.head(9)) == {"acme": first}
