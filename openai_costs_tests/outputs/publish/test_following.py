"""Which runs a sensor starts after one that leaves the publication behind the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.orchestration.jobs import PUBLISH, REBUILD, range_tags
from openai_costs.outputs.publish.assets import DATABASE
from openai_costs.outputs.publish.following import BACKFILL, is_unpublished_after, requests
from openai_costs_tests.org import FACTS, LEDGER, NOW, House, day

if TYPE_CHECKING:
    from pathlib import Path

SPEND = dg.AssetKey(["core", "spend"])
FIRST, LAST, NEXT = day(16), day(18), day(19)
WITHOUT_PUBLICATION = tuple(name for name in FACTS if name != "published/duckdb")


def is_left_out(
    made: dg.AssetKey | None,
    *chosen: dg.AssetKey,
    status: BulkActionStatus = BulkActionStatus.REQUESTED,
    parent: str | None = None,
) -> bool:
    """Whether a run of an asset is followed, in a backfill of some assets or in none."""
    backfill = PartitionBackfill(
        "b", status, True, tags={}, backfill_timestamp=1.0, asset_selection=list(chosen)
    )
    run = dg.DagsterRun(
        "Everything",
        run_id="2",
        root_run_id=parent,
        parent_run_id=parent,
        tags={BACKFILL: "b"} if chosen else {},
        asset_selection={made} if made else None,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_backfill(backfill)
        return is_unpublished_after(run, instance)


@pytest.mark.parametrize(
    "left_out",
    [
        lambda: is_left_out(SPEND),
        lambda: is_left_out(SPEND, SPEND),
        lambda: is_left_out(SPEND, parent="1"),
        lambda: is_left_out(SPEND, SPEND, DATABASE, parent="1"),
        lambda: is_left_out(SPEND, SPEND, DATABASE, status=BulkActionStatus.COMPLETED_FAILED),
    ],
    ids=(
        "days from the UI",
        "a backfill of daily assets",
        "a failed run of a backfill again, after the backfill",
        "the same while the backfill goes on, which leaves out what depends on it",
        "a run of a backfill of all assets that has failed since",
    ),
)
def test_a_run_after_which_no_other_publishes_is_followed(left_out: object) -> None:
    assert callable(left_out)
    assert left_out()


@pytest.mark.parametrize(
    "left_out",
    [
        lambda: is_left_out(SPEND, SPEND, DATABASE),
        lambda: is_left_out(DATABASE),
        lambda: is_left_out(None),
    ],
    ids=("its backfill publishes later", "it published", "a whole job"),
)
def test_what_publishes_itself_is_not_followed(left_out: object) -> None:
    assert callable(left_out)
    assert not left_out()


def asked(of: House) -> list[tuple[str | None, str | None, dict[str, str]]]:
    days = DayRange(of.settings.first_day, of.clock().date())
    found = requests(of.settings, days, "1")
    return [(one.job_name, one.run_key, dict(one.tags)) for one in found]


def test_what_is_published_as_it_is_stored_needs_no_run(three_days: House) -> None:
    assert asked(three_days) == []


def test_days_that_were_made_to_the_end_are_published_once(
    three_days: House, tmp_path: Path
) -> None:
    made = three_days.moved_to(tmp_path / "home").at(NOW + ONE_DAY)
    assert made.run(FIRST, LAST, only=WITHOUT_PUBLICATION).is_green
    assert asked(made) == [(PUBLISH, "publish:1", {})]
    assert made.run(LAST, LAST, only=("published/duckdb",)).is_green
    assert asked(made) == []


def test_days_of_which_only_the_ledger_was_made_are_rebuilt_and_published(
    three_days: House, tmp_path: Path
) -> None:
    made = three_days.moved_to(tmp_path / "home").at(NOW + ONE_DAY)
    assert made.run(NEXT, NEXT, only=LEDGER).is_green
    days = DayRange(NEXT, NEXT)
    assert asked(made) == [(REBUILD, f"rebuild:1:{days}", range_tags(days))]
    assert made.run(NEXT, NEXT, job=REBUILD).is_green
    assert asked(made) == []


def test_days_of_which_only_pages_are_kept_are_rebuilt_and_published(
    three_days: House, tmp_path: Path
) -> None:
    made = three_days.moved_to(tmp_path / "home")
    made.lake.remove_slices(f"day = '{FIRST}'")
    days = DayRange(FIRST, FIRST)
    assert asked(made) == [(REBUILD, f"rebuild:1:{days}", range_tags(days))]


def test_days_that_no_run_can_rebuild_are_left_alone_and_the_others_published(
    three_days: House, tmp_path: Path
) -> None:
    made = three_days.moved_to(tmp_path / "home")
    assert made.run(NEXT, NEXT, only=LEDGER).is_green
    [tidewater] = made.connections
    made.connections = (tidewater.model_copy(update={"name": "harbour"}),)
    assert asked(made) == [(PUBLISH, "publish:1", {})]


def test_a_lake_that_was_never_published_is(three_days: House, tmp_path: Path) -> None:
    made = three_days.moved_to(tmp_path / "home")
    (tmp_path / "home" / "published" / ".publication.json").unlink()
    assert asked(made) == [(PUBLISH, "publish:1", {})]
