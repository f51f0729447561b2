"""Which runs a sensor starts after another one."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from openai_costs.orchestration.jobs import BACKFILL, publication_requests

SPEND, PUBLISHED = dg.AssetKey(["core", "spend"]), dg.AssetKey(["published", "duckdb"])


def requests(made: dg.AssetKey | None, *chosen: dg.AssetKey, tag: str = BACKFILL) -> list[str]:
    """The keys of the runs that are asked for after a run of a backfill of some assets."""
    backfill = PartitionBackfill(
        "b",
        BulkActionStatus.REQUESTED,
        True,
        tags={},
        backfill_timestamp=1.0,
        asset_selection=list(chosen),
    )
    run = dg.DagsterRun(
        "refresh", run_id="1", tags={tag: "b"}, asset_selection={made} if made else None
    )
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_backfill(backfill)
        return [str(one.run_key) for one in publication_requests(run, instance, PUBLISHED)]


def test_days_that_a_backfill_made_are_published_once_after_it() -> None:
    assert requests(SPEND, SPEND) == ["publish:1"]


@pytest.mark.parametrize(
    "ended",
    [
        lambda: requests(SPEND, SPEND, PUBLISHED),
        lambda: requests(PUBLISHED),
        lambda: requests(None),
        lambda: requests(SPEND, SPEND, tag="other"),
    ],
    ids=("it publishes later", "it published", "a whole job", "no backfill"),
)
def test_what_publishes_itself_or_is_no_backfill_starts_nothing(ended: object) -> None:
    assert callable(ended)
    assert ended() == []
