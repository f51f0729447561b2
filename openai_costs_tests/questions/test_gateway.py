from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from openai_costs.questions.gateway import coverage_by_token
from openai_costs.settings import Upstream
from openai_costs_tests.questions.reconciliation.sides import DAY, tokens

KEYS = ("key_maps", "key_search", "key_other", None)
NAMES_NOTHING = {"openai_api_key_id": None, "mapping": "none", "confidence": "none"}
NAMES_A_PROJECT = NAMES_NOTHING | {"openai_project_id": "proj_maps", "confidence": "low"}


def declared(*keys: str, project_id: str | None = None) -> list[Upstream]:
    return [Upstream(connection="acme", api_key_id=one, project_id=project_id) for one in keys]


def levels(
    registry: pl.DataFrame, upstreams: list[Upstream] | None = None, days_later: int = 0
) -> dict[Any, Any]:
    """What covers each key of proj_maps on a day."""
    rows = [("acme", DAY + timedelta(days=days_later), "proj_maps", key) for key in KEYS]
    names = {"connection": pl.String, "day": pl.Date, "project_id": pl.String}
    frame = pl.DataFrame(rows, schema=names | {"api_key_id": pl.String}, orient="row")
    covered = coverage_by_token(frame, registry, upstreams or [])
    return dict(covered.select("api_key_id", "level").rows())


NONE = dict.fromkeys(KEYS)


def test_a_token_that_names_a_key_covers_that_key() -> None:
    assert levels(tokens({})) == NONE | {"key_maps": "key"}


def test_a_token_that_names_a_project_covers_its_keys_and_not_what_names_none() -> None:
    covered = dict.fromkeys(KEYS[:3], "project")
    assert levels(tokens(NAMES_A_PROJECT)) == NONE | covered


@pytest.mark.parametrize(("days_later", "level"), [(0, "key"), (1, None)])
def test_a_token_covers_up_to_the_last_day_it_was_listed(
    days_later: int, level: str | None
) -> None:
    gone = tokens({"is_current": False, "last_seen_day": DAY})
    assert levels(gone, days_later=days_later)["key_maps"] == level


def test_a_declared_key_stays_the_gateways_when_its_token_is_gone() -> None:
    gone = tokens({"is_current": False, "last_seen_day": DAY})
    assert levels(gone, declared("key_maps"), days_later=1)["key_maps"] == "key"


def test_declared_keys_whose_tokens_name_their_project_are_covered_by_it() -> None:
    both = declared("key_maps", "key_search", project_id="proj_maps")
    found = levels(tokens(NAMES_A_PROJECT), both)
    assert (found["key_maps"], found["key_search"]) == ("project", "project")
