from __future__ import annotations

from pathlib import Path

import yaml

import openai_costs
from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.dbt_sources import Described, sources
from openai_costs.outputs.publish.reference import dbt
from openai_costs.tables.contract import all_contracts

SOURCES = Path(openai_costs.__file__).parents[1] / "docs" / "dbt" / "openai_costs.yml"


def test_a_column_that_is_never_null_has_a_test() -> None:
    columns = {"day": "The day.", "team": "The team."}
    (mart,) = sources([Described("mart", "spend", "Spend.", columns, frozenset({"day"}))])[
        "sources"
    ]
    assert (mart["name"], mart["database"], mart["schema"]) == (
        "openai_costs_mart",
        "openai_costs",
        "mart",
    )
    assert mart["tables"][0]["columns"] == [
        {"name": "day", "description": "The day.", "data_tests": ["not_null"]},
        {"name": "team", "description": "The team."},
    ]


def test_the_sources_file_in_docs_is_what_the_contracts_and_views_say() -> None:
    how = "run: python -m openai_costs.outputs.publish.reference --dbt > docs/dbt/openai_costs.yml"
    assert SOURCES.read_text(encoding="utf-8") == dbt(), how


def test_the_sources_file_has_every_table_and_view() -> None:
    found = {
        f"{one['schema']}.{table['name']}"
        for one in yaml.safe_load(dbt())["sources"]
        for table in one["tables"]
    }
    assert found == {one.full_name() for one in all_contracts()} | {
        f"bi.{view.name}" for view in VIEWS
    }
