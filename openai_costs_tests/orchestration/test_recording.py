"""A recorded run is in the instance that `dev` opens as if it had run there."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import extract_data_version_from_entry
from dagster._core.instance import InstanceRef

from openai_costs.cli import run_history
from openai_costs.cli.backfill import Headless
from openai_costs.cli.dev import STATE
from openai_costs.cli.run_history import damaged_databases, leave_trace
from openai_costs.cli.run_output import Stopped
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import PUBLISH
from openai_costs.orchestration.recording import EventsOfRun, record
from openai_costs_tests.orchestration.test_event_log import CHECKED, DAYS, RANGE, RUN, graph
from openai_costs_tests.org import QUIET, calm, house

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_costs_tests.org import House

LEDGER = dg.AssetKey("ledger")


def ran_in(instance: dg.DagsterInstance, run_id: str = RUN) -> None:
    with calm():
        graph().resolve_job_def("all").execute_in_process(
            instance=instance, run_id=run_id, tags=RANGE, run_config=QUIET, raise_on_error=False
        )


def opened(state: Path) -> dg.DagsterInstance:
    """The instance of a folder, as `dagster dev` opens it."""
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(state)))


def seen(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What the UI shows of the run, its assets and its checks."""
    run = instance.get_run_by_id(RUN)
    made = instance.get_latest_materialization_event(LEDGER)
    records = instance.get_asset_records([LEDGER])
    assert run
    assert made
    assert made.asset_materialization
    log = instance.event_log_storage
    checks = log.get_asset_check_execution_history(
        dg.AssetCheckKey(LEDGER, "sound"), limit=len(DAYS) + 1
    )
    judged = [one.event.get_dagster_event() for one in checks if one.event]
    return {
        "run": (run.status, run.job_name, run.tags),
        "snapshots": (run.job_snapshot_id, run.execution_plan_snapshot_id),
        "plan": instance.get_execution_plan_snapshot(str(run.execution_plan_snapshot_id)),
        "days": instance.get_materialized_partitions(LEDGER),
        "newest": made.asset_materialization.partition,
        "on its row": records[0].asset_entry.last_run_id,
        "checks": [(one.partition, one.status) for one in checks],
        "sentences": [one.asset_check_evaluation_data.description for one in judged],
        "steps": [
            (one.dagster_event_type, one.step_key)
            for one in instance.all_logs(RUN)
            if str(one.dagster_event_type).startswith("DagsterEventType.STEP_S")
        ],
    }


@pytest.fixture(scope="module")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("recorded") / "state"
    with unrecorded() as instance:
        ran_in(instance)
        record(RUN, instance, state)
    return state


@pytest.fixture
def recorded(recorded_once: Path, tmp_path: Path) -> Path:
    """A copy of that folder, in which a test may record more."""
    return copytree(recorded_once, tmp_path / "recorded")


def test_the_ui_shows_a_recorded_run_as_one_that_ran_there(recorded: Path, tmp_path: Path) -> None:
    with opened(tmp_path) as instance:
        ran_in(instance)
        there = seen(instance)
    with opened(recorded) as instance:
        assert seen(instance) == there
    assert there["days"] == set(DAYS)
    assert len(there["checks"]) == len(DAYS)


def test_a_run_took_as_long_as_it_took(recorded: Path) -> None:
    with opened(recorded) as instance:
        run = instance.get_run_record_by_id(RUN)
        first, *_, last = (one.timestamp for one in instance.all_logs(RUN))
    assert run
    assert run.start_time == pytest.approx(first, abs=1e-3)
    assert run.end_time == pytest.approx(last, abs=1e-3)
    assert 0 <= first - run.create_timestamp.timestamp() < 60  # its events are planned in between


def tried_twice() -> dg.JobDefinition:
    """A job whose one step judges, fails, and judges again."""
    verdicts = iter((False, True))

    @dg.asset(check_specs=[dg.AssetCheckSpec("sound", asset="ledger")])
    def ledger() -> Iterator[Any]:
        is_sound = next(verdicts)
        yield dg.AssetCheckResult(check_name="sound", passed=is_sound)
        if not is_sound:
            raise dg.RetryRequested(max_retries=1)
        yield dg.Output(None)

    job = dg.define_asset_job("all")
    return dg.Definitions(assets=[ledger], jobs=[job]).resolve_job_def("all")


def test_a_step_that_was_tried_again_is_recorded_with_its_last_verdict(tmp_path: Path) -> None:
    with unrecorded() as instance:
        ran = tried_twice().execute_in_process(instance=instance, run_id=RUN, run_config=QUIET)
        assert ran.success
        record(RUN, instance, tmp_path / "state")
    with opened(tmp_path / "state") as instance:
        sound = dg.AssetCheckKey(LEDGER, "sound")
        log = instance.event_log_storage
        (only,) = log.get_asset_check_execution_history(sound, limit=9)
    assert only.status.value == "SUCCEEDED"


def test_a_verdict_points_at_the_materialization_that_it_judges(recorded: Path) -> None:
    other = RUN.replace("1", "2")
    with unrecorded() as instance:
        ran_in(instance, other)
        record(other, instance, recorded)
    with opened(recorded) as instance:
        key = dg.AssetCheckKey(LEDGER, "sound")
        verdicts = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        made = instance.fetch_materializations(LEDGER, limit=len(DAYS)).records
        kept = instance.get_records_for_run(other, of_type=CHECKED).records
    assert verdicts[0].run_id == other
    assert {one.run_id for one in made} == {other}
    assert kept


def test_a_later_run_in_the_ui_goes_on_with_the_same_history(recorded: Path) -> None:
    other = RUN.replace("1", "3")
    with opened(recorded) as instance:
        ran_in(instance, other)
        newest = instance.get_latest_materialization_event(LEDGER)
        assert newest
        assert newest.run_id == other
        assert instance.get_runs_count() == 2


def test_a_record_that_fails_half_way_leaves_nothing_of_its_events(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    other = RUN.replace("1", "4")
    monkeypatch.setattr(EventsOfRun, "index_assets", full)
    with unrecorded() as instance:
        ran_in(instance, other)
        with pytest.raises(sqlite3.OperationalError):
            record(other, instance, recorded)
    with opened(recorded) as instance:
        assert instance.all_logs(other) == []
        assert seen(instance)["on its row"] == RUN


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return house(tmp_path / "home", "acme")


def headless(mine: House, said: list[str]) -> Headless:
    return Headless(mine.settings, said.append, mine.clock, None)


def test_a_headless_run_is_recorded_below_the_home(acme: House) -> None:
    with calm():
        headless(acme, []).publish()
    with opened(Path(acme.home) / STATE) as instance:
        [done] = instance.get_runs()
    assert (done.job_name, done.status) == (PUBLISH, dg.DagsterRunStatus.SUCCESS)


def test_a_run_that_is_stopped_ends_without_being_recorded(acme: House) -> None:
    said: list[str] = []

    def stop(line: str) -> None:
        said.append(line)
        if line.lstrip().startswith("2/"):
            os.kill(os.getpid(), signal.SIGINT)

    with calm(), pytest.raises(Stopped):
        Headless(acme.settings, stop, acme.clock, None).publish()
    assert any(line.endswith(" failed") for line in said)
    assert not (Path(acme.home) / STATE).exists()


def test_a_run_is_not_failed_by_its_record(acme: House) -> None:
    said: list[str] = []
    Path(acme.home).mkdir()
    (Path(acme.home) / STATE).write_text("a file in the place of the folder", encoding="utf-8")
    with calm():
        headless(acme, said).publish()
    assert "The run is done. The Dagster UI will not show it:" in said[-1]


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",  # a database without tables
    "cut_short": lambda history: history[:-20],
    "foreign": lambda _: b"\0\0\0\1Bud1" * 40,
    "flipped": lambda history: history[:1] + bytes([history[1] ^ 0x20]) + history[2:],
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_run_is_shown_whatever_became_of_the_history_before_it(
    recorded: Path, tmp_path: Path, harm: str
) -> None:
    runs, other = recorded.rename(tmp_path / STATE) / "history/runs.db", RUN.replace("1", "5")
    runs.write_bytes(HARMS[harm](runs.read_bytes()))
    said: list[str] = []
    with unrecorded() as instance:
        ran_in(instance, other)
        leave_trace(other, instance, str(tmp_path), said.append)
    assert damaged_databases(tmp_path / STATE) == []
    with opened(tmp_path / STATE) as instance:
        assert instance.get_run_by_id(other)
    assert all("is damaged. It is in" in line for line in said)
    assert bool(said) == (harm != "empty")


def test_a_history_that_another_process_has_for_itself_is_not_called_damaged(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_history, "opened_to_read", partial(sqlite3.connect, timeout=0))
    runs = recorded / "history/runs.db"
    with closing(sqlite3.connect(runs, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect(runs, timeout=0)) as mine, pytest.raises(sqlite3.Error):
            mine.execute("PRAGMA quick_check(1)")
        assert damaged_databases(recorded) == []


def test_an_asset_is_in_sync_with_what_another_headless_run_made(tmp_path: Path) -> None:
    """In memory a run knows no other; what it was made of is what the folder has."""

    @dg.asset
    def first() -> None: ...

    @dg.asset(deps=[first])
    def second() -> None: ...

    state = tmp_path / "recorded"
    for number, only in ((1, first), (2, second)):
        with unrecorded() as instance, calm():
            run_id = RUN.replace("1", str(number))
            job = dg.Definitions([first, second], jobs=[dg.define_asset_job("one", [only])])
            job.resolve_job_def("one").execute_in_process(
                instance=instance, run_id=run_id, run_config=QUIET
            )
            record(run_id, instance, state)
    with opened(state) as instance:
        made = {
            one.asset_entry.asset_key: one.asset_entry.last_materialization_record
            for one in instance.get_asset_records([first.key, second.key])
        }
    above, below = made[first.key], made[second.key]
    assert above
    assert below
    assert below.asset_materialization
    tags = below.asset_materialization.tags or {}
    version = extract_data_version_from_entry(above.event_log_entry)
    assert version
    assert tags["dagster/input_data_version/first"] == version.value
    assert tags["dagster/input_event_pointer/first"] == str(above.storage_id)
