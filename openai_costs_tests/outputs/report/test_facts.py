from __future__ import annotations

from typing import Any

import polars as pl

from openai_costs.outputs.report.facts import usage_facts
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.outputs.report.bill import attribution, january, of

NO_OWNERS = pl.DataFrame(
    schema={"connection": pl.String, "api_key_id": pl.String, "owner_id": pl.String}
)


def used(**values: Any) -> pl.DataFrame:  # noqa: ANN401 - any column
    row = {"day": january(1), "connection": "acme", "provider": "openai", "model": "gpt-5"}
    return of(Usage, row | {"endpoint": "completions", "batch": False} | values)


def facts(usage: pl.DataFrame, owners: pl.DataFrame = NO_OWNERS) -> pl.DataFrame:
    teams = attribution([(1, "a", "u", "1")]).with_columns(team=pl.lit("labs"))
    return usage_facts(usage, owners, teams)


def by_kind(made: pl.DataFrame, column: str = "tokens") -> dict[str | None, int]:
    return dict(made.filter(pl.col(column) > 0).select("usage_type", column).iter_rows())


def test_tokens_have_the_usage_types_of_the_bill_and_requests_have_none() -> None:
    made = facts(
        used(
            input_tokens=100,
            input_uncached_tokens=70,
            input_cached_tokens=20,
            input_cache_write_tokens=10,
            output_tokens=5,
            num_model_requests=3,
        )
    )
    assert by_kind(made) == {"input": 70, "cached_input": 20, "cache_write": 10, "output": 5}
    assert by_kind(made, "cacheable") == {"input": 70, "cached_input": 20, "cache_write": 10}
    assert by_kind(made, "requests") == {None: 3}


def test_input_of_which_only_the_cached_part_is_named_is_not_lost() -> None:
    made = facts(used(input_tokens=100, input_cached_tokens=20))
    assert by_kind(made) == {"input": 80, "cached_input": 20}


def test_input_that_names_no_cached_part_has_no_part_in_a_cache_hit_share() -> None:
    made = facts(used(endpoint="embeddings", input_tokens=100))
    assert by_kind(made) == {"input": 100}
    assert by_kind(made, "cacheable") == {}


def test_batch_is_a_tier_and_the_default_is_standard() -> None:
    made = facts(pl.concat([used(output_tokens=1), used(batch=True, output_tokens=2)]))
    assert dict(made.select("service_tier", "tokens").iter_rows()) == {"standard": 1, "batch": 2}


def test_a_key_without_a_user_is_its_owners_and_of_their_team() -> None:
    owners = pl.DataFrame({"connection": ["acme"], "api_key_id": ["k"], "owner_id": ["u"]})
    made = facts(used(api_key_id="k", output_tokens=1), owners)
    assert made.select("user_id", "team").rows() == [("u", "labs")]
