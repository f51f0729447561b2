from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openai_costs.questions.optimization.unused_keys import duplicate, idle
from openai_costs_tests.questions.optimization.month import (
    FIRST,
    MONTH,
    Month,
    billed,
    coverage,
    every_day,
    keys,
    line,
    projects,
)

if TYPE_CHECKING:
    from openai_costs.questions.optimization.facts import Saving

SPENT = billed(line("gpt-4.1, input", "20", "10000000"))
IN_THE_PERIOD = datetime.combine(FIRST, datetime.min.time())
RESTING = {"id": "old", "name": "old one"}


def resting(month: Month) -> list[tuple[str, str]]:
    return [(one.subject_kind, one.subject) for one in idle(month.facts)]


def twice(month: Month) -> list[Saving]:
    return list(duplicate(month.facts))


def test_a_key_that_nothing_names_in_the_whole_period_is_idle() -> None:
    month = Month(spend=SPENT, keys=keys({"id": "k", "name": "search"}, RESTING))
    (saving,) = idle(month.facts)
    assert (saving.subject, saving.subject_name, saving.saving_usd) == ("old", "old one", 0)
    assert saving.because == (
        "Created 2026-01-01; no spend in the 30 days from 2026-10-23 to 2026-11-21. Removing it "
        "saves no money, but closes access that no one monitors."
    )


@pytest.mark.parametrize(
    "other",
    [
        {"status": "expired"},
        {"is_current": False, "status": "vanished"},
        {"created_at": IN_THE_PERIOD},
        {"created_at": None},
        {"last_used_at": IN_THE_PERIOD},
    ],
    ids=str,
)
def test_a_key_that_is_gone_new_or_was_used_is_not_idle(other: dict[str, Any]) -> None:
    assert resting(Month(spend=SPENT, keys=keys(RESTING | other))) == []


def test_a_key_with_tokens_and_no_dollars_is_not_idle() -> None:
    month = Month(every_day(1, api_key_id="old"), SPENT, keys(RESTING))
    assert resting(month) == []


def test_an_old_last_use_is_reported() -> None:
    used = {"last_used_at": IN_THE_PERIOD - timedelta(days=1)}
    (saving,) = idle(Month(spend=SPENT, keys=keys(RESTING | used)).facts)
    assert "last used 2026-10-22; no spend" in saving.because


def test_a_project_that_nothing_names_is_idle_and_its_keys_are_not_reported_again() -> None:
    month = Month(
        spend=SPENT,
        keys=keys(RESTING | {"project_id": "hack"}),
        projects=projects({"id": "p", "name": "search"}, {"id": "hack", "name": "hack week"}),
    )
    assert resting(month) == [("project", "hack")]


def test_a_month_with_a_day_missing_calls_nothing_idle() -> None:
    month = Month(spend=SPENT, keys=keys(RESTING), coverage=coverage(MONTH[1:]))
    assert resting(month) == []


def test_a_bill_that_names_no_key_calls_only_keys_idle_whose_last_use_is_known() -> None:
    unnamed = SPENT.with_columns(api_key_id=pl.lit(None, pl.String))
    last_used = {"id": "older", "last_used_at": IN_THE_PERIOD - timedelta(days=90)}
    month = Month(spend=unnamed, keys=keys(RESTING, last_used))
    assert resting(month) == [("api_key", "older")]


def test_keys_of_one_owner_and_project_with_one_name_are_duplicates() -> None:
    rows = ({"id": "k", "name": "search"}, {"id": "k2", "name": "search"})
    (saving,) = twice(Month(spend=SPENT, keys=keys(*rows)))
    assert (saving.subject, saving.billed_usd, saving.saving_usd) == ("k", Decimal(20), 0)
    assert saving.because == (
        "2 active keys of one owner and project share this name. Billed in the period: k $20.00, "
        "k2 $0.00. Remove those that are not needed, or give each a name of its own."
    )


def test_each_duplicate_has_its_own_dollars_and_the_row_those_of_its_subject() -> None:
    rows = ({"id": "k", "name": "search"}, {"id": "k2", "name": "search"})
    lines = (
        line("gpt-4.1, input", usd, None, project_id="p", api_key_id=key)
        for key, usd in (("k", "135.534"), ("k2", "16.464"))
    )
    (saving,) = twice(Month(spend=billed(*lines), keys=keys(*rows)))
    assert (saving.subject, saving.billed_usd) == ("k", Decimal("135.534"))
    assert "k $135.53, k2 $16.46." in saving.because


@pytest.mark.parametrize(
    "other",
    [
        {"name": "other"},
        {"name": None},
        {"project_id": "p2"},
        {"owner_id": "sb"},
        {"owner_id": None},
        {"status": "expired"},
    ],
    ids=str,
)
def test_keys_that_differ_in_anything_of_it_are_no_duplicates(other: dict[str, Any]) -> None:
    rows = ({"id": "k", "name": "search"}, {"id": "k2", "name": "search"} | other)
    assert twice(Month(spend=SPENT, keys=keys(*rows))) == []


def test_projects_with_one_name_are_duplicates() -> None:
    rows = ({"id": "p", "name": "search"}, {"id": "p2", "name": "search"})
    (saving,) = twice(Month(spend=SPENT, projects=projects(*rows)))
    assert (saving.subject_kind, saving.subject, saving.billed_usd) == ("project", "p", 20)
    assert saving.because.startswith(
        "2 active projects share this name. Billed in the period: p $20.00, p2 $0.00."
    )
