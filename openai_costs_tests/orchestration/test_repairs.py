from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from openai_costs.orchestration.jobs import RANGE_END, RANGE_START, REBUILD
from openai_costs.orchestration.repairs import daily_repair
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.org import NOW, HandClock, day, house
from openai_costs_tests.storage.test_lake import Slice, read

if TYPE_CHECKING:
    from pathlib import Path


def nightly(home: Path, kept: set[int]) -> list[dg.RunRequest]:
    settings = house(home).settings
    days = set(map(day, kept))
    schedule = daily_repair(lambda: settings, HandClock(), lambda _settings, _last: days, day(13))
    assert schedule.job_name == REBUILD
    with dg.build_schedule_context(scheduled_execution_time=NOW) as context:
        return list(schedule.evaluate_tick(context).run_requests or ())


def test_every_night_damaged_files_are_set_aside_and_their_days_made_again(tmp_path: Path) -> None:
    keys = [Slice("tidewater", day(number)) for number in (13, 14)]
    lines = [(key, "ada", "1") for key in keys]
    house(tmp_path).lake.replace(SpendByUser, [read(*lines, replaces=tuple(keys))])
    assert nightly(tmp_path, {13, 14, 15}) == []
    [file] = (tmp_path / "lake/core/spend_by_user").rglob("part-*.parquet")
    file.write_bytes(bytes(file.stat().st_size))
    [request] = nightly(tmp_path, {12, 13, 14, 15})
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("2026-11-13", "2026-11-14")
    assert (tmp_path / "set_aside/lake/core/spend_by_user" / file.name).exists()
    assert nightly(tmp_path, {13, 14, 15}) == []
