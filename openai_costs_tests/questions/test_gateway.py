from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from openai_costs.questions.gateway_coverage import coverage_by_token
from openai_costs.questions.gateway_routes import Routes
from openai_costs.settings import Upstream
from openai_costs_tests.questions.reconciliation.sides import DAY, tokens

KEYS = ("key_maps", "key_search", "key_other", None)
MODEL = "gpt-5"
NAMES_NOTHING = {"openai_api_key_id": None, "mapping": "none", "confidence": "none"}
NAMES_A_PROJECT = NAMES_NOTHING | {"openai_project_id": "proj_maps", "confidence": "low"}


def declared(*keys: str, project_id: str | None = None) -> list[Upstream]:
    return [Upstream(connection="acme", api_key_id=one, project_id=project_id) for one in keys]


def levels(
    registry: pl.DataFrame, upstreams: list[Upstream] | None = None, days_later: int = 0
) -> dict[Any, Any]:
    """What covers each key of proj_maps on a day."""
    rows = [("acme", DAY + timedelta(days=days_later), "proj_maps", key, MODEL) for key in KEYS]
    names = {"connection": pl.String, "day": pl.Date, "project_id": pl.String}
    frame = pl.DataFrame(
        rows, schema=names | {"api_key_id": pl.String, "model": pl.String}, orient="row"
    )
    covered = coverage_by_token(frame, Routes(registry, upstreams or []))
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


def test_declared_keys_that_a_token_may_choose_from_are_covered_together() -> None:
    both = declared("key_maps", "key_search", project_id="proj_maps")
    named_project = NAMES_A_PROJECT | {"mapping": "declared_upstream"}
    found = levels(tokens(named_project), both)
    assert found == NONE | {"key_maps": "gateway", "key_search": "gateway"}


def test_a_declared_key_is_covered_by_itself_where_every_token_names_its_own() -> None:
    both = declared("key_maps", "key_search")
    assert levels(tokens({}), both)["key_maps"] == "key"


def test_a_declared_key_whose_pattern_fits_no_token_leaves_open_what_was_metered() -> None:
    mistaken = [Upstream(connection="acme", api_key_id="key_maps", tokens=("maps-*",))]
    assert levels(tokens(NAMES_NOTHING), mistaken)["key_maps"] == "unmapped"


def test_declared_keys_of_two_connections_leave_open_what_was_metered() -> None:
    two = [
        Upstream(connection=where, api_key_id=key)
        for where, key in (("acme", "key_maps"), ("beta", "key_search"))
    ]
    assert levels(tokens(NAMES_NOTHING), two)["key_maps"] == "unmapped"


def route(registry: pl.DataFrame, upstreams: list[Upstream], model: str) -> tuple[Any, ...]:
    found = Routes(registry, upstreams, {"maps-large": "gpt-4.1"}).of("tok_maps", model)
    return found.level, found.api_key_id


def test_a_key_that_settings_declare_for_a_model_wins_over_the_key_a_token_names() -> None:
    for_model = [Upstream(connection="acme", api_key_id="key_b", models=("gpt-4.1*",))]
    assert route(tokens({}), for_model, "gpt-4.1") == ("key", "key_b")
    assert route(tokens({}), for_model, "gpt-5") == ("key", "key_maps")


def test_a_model_may_be_declared_by_the_gateways_own_name() -> None:
    for_model = [Upstream(connection="acme", api_key_id="key_b", models=("maps-large",))]
    assert route(tokens({}), for_model, "gpt-4.1") == ("key", "key_b")


def test_a_dated_or_prefixed_model_may_be_declared() -> None:
    for name in ("openai/gpt-4.1", "gpt-4.1-2025-04-14"):
        for_model = [Upstream(connection="acme", api_key_id="key_b", models=(name,))]
        assert route(tokens({}), for_model, "gpt-4.1") == ("key", "key_b")


def test_a_token_that_no_list_has_uses_the_key_declared_for_every_token() -> None:
    found = Routes(tokens({}), declared("key_maps")).of("hash_old", "gpt-5")
    assert (found.level, found.api_key_id) == ("key", "key_maps")


def test_a_key_declared_for_every_token_answers_for_requests_without_a_token_too() -> None:
    some = [Upstream(connection="acme", api_key_id="key_maps", tokens=("maps-*",))]
    for token in (None, ""):
        found = Routes(tokens(NAMES_NOTHING), declared("key_maps")).of(token, "gpt-5")
        assert (found.level, found.api_key_id) == ("key", "key_maps")
        assert Routes(tokens(NAMES_NOTHING), some).of(token, "gpt-5").level == "unmapped"


def test_a_key_declared_for_a_model_leaves_a_token_its_project_for_the_others() -> None:
    for_model = [Upstream(connection="acme", api_key_id="key_b", models=("gpt-4.1*",))]
    found = Routes(tokens(NAMES_A_PROJECT), for_model).of("tok_maps", "gpt-5")
    assert (found.level, found.project_id) == ("project", "proj_maps")


def test_requests_without_a_token_use_the_pool_that_is_declared_for_every_token() -> None:
    """They were unmapped where each listed token named its own key."""
    routes = Routes(tokens({}), declared("key_search", "key_other"))
    for token in (None, "", "hash_old"):
        found = routes.of(token, "gpt-5")
        assert (found.level, found.connection) == ("gateway", "acme")
    assert routes.of("tok_maps", "gpt-5", has_nameless=True).api_key_id == "key_maps"
    assert routes.levels("gpt-5") == {}, "no other request uses it"


def test_a_token_whose_key_is_one_of_the_pool_of_a_days_requests_is_compared_with_them() -> None:
    routes = Routes(tokens({}), declared("key_maps", "key_search"))
    assert routes.of("tok_maps", "gpt-5").level == "key"
    assert routes.of("tok_maps", "gpt-5", has_nameless=True).level == "gateway"


def test_requests_without_a_token_make_no_key_of_two_connections_less_exact() -> None:
    two = [
        Upstream(connection=where, api_key_id=key)
        for where, key in (("acme", "key_maps"), ("beta", "key_search"))
    ]
    routes = Routes(tokens({}), two)
    assert routes.of(None, "gpt-5").level == "unmapped"
    assert routes.of("tok_maps", "gpt-5", has_nameless=True).api_key_id == "key_maps"
