from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.questions.gateway_bypass.days_judged_again import (
    days_described_otherwise,
    days_of_other_allowance,
    days_to_judge_again,
)
from openai_costs.questions.gateway_bypass.key_lists import with_allowance
from openai_costs.settings import AllowedKey
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs_tests.org import day
from openai_costs_tests.questions.gateway_bypass.test_findings import key, rows

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 23, tzinfo=UTC)
CREATED = datetime(2026, 11, 3)  # noqa: DTZ001 - as tables have instants
SLICES = {Slice("acme", day(when)): AT for when in (4, 5, 6, 7)}
UNTIL_THE_6TH = AllowedKey(api_key_id="key_ana", reason="moves in December", until=day(6))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Four days of a key, judged while it was allowed until the 6th."""
    judged = rows(*(key(when, "10", reason="unregistered") for when in (4, 5, 6, 7)))
    allowed = with_allowance(judged.drop("allowed_because"), [UNTIL_THE_6TH])
    frame = allowed.select(list(GatewayBypass.types()))
    made = Lake(UPath(tmp_path))
    assert not made.replace(GatewayBypass, [Batch(frame, SLICES)]).refused
    return made


def test_nothing_is_judged_again_by_the_same_allow_list(lake: Lake) -> None:
    other = AllowedKey(api_key_id="key_bo", reason="not here", until=day(30))
    assert days_of_other_allowance(lake, [UNTIL_THE_6TH]) == []
    assert days_of_other_allowance(lake, [UNTIL_THE_6TH, other]) == []


def test_a_key_that_is_no_longer_allowed_is_judged_again_on_the_days_it_was(lake: Lake) -> None:
    assert days_of_other_allowance(lake, []) == [DayRange(day(4), day(6))]


def test_a_key_that_is_allowed_for_longer_is_judged_again_on_every_day(lake: Lake) -> None:
    longer = UNTIL_THE_6TH.model_copy(update={"until": day(30)})
    assert days_of_other_allowance(lake, [longer]) == [DayRange(day(4), day(7))]


def test_a_key_that_was_deleted_is_judged_again_on_every_day(
    lake: Lake,
) -> None:
    blank = dict.fromkeys(ApiKeys.types())
    listed = blank | {
        "connection": "acme", "provider": "openai", "id": "key_ana", "name": "ana laptop",
        "owner_name": "Ana", "status": "active", "is_current": True, "created_at": CREATED,
        "first_seen_day": day(3), "last_seen_day": day(7),
    }  # fmt: skip
    described = pl.DataFrame([listed], schema=ApiKeys.types())
    stored = lake.read(GatewayBypass, DayRange(day(4), day(7)))
    same = stored.with_columns(project_name=pl.lit(None, pl.String), first_seen_day=day(3))
    assert not lake.replace(GatewayBypass, [Batch(same, SLICES)]).refused
    lake.replace_whole(ApiKeys, described)
    assert days_described_otherwise(lake) == []
    lake.replace_whole(ApiKeys, described.with_columns(is_current=False, status=pl.lit("vanished")))
    assert days_described_otherwise(lake) == [DayRange(day(4), day(7))]
    assert days_to_judge_again(lake, [UNTIL_THE_6TH]) == [DayRange(day(4), day(7))]


def test_a_home_without_a_gateway_has_nothing_to_judge_again(tmp_path: Path) -> None:
    empty = Lake(UPath(tmp_path))
    assert days_of_other_allowance(empty, [UNTIL_THE_6TH]) == []
    assert days_described_otherwise(empty) == []
