from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from openai_costs.outputs.report.page_tables import distinguished
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs_tests.outputs.report.bill import of, of_rows

if TYPE_CHECKING:
    import polars as pl

    from openai_costs.tables.contract import Contract

NAMES: Final = {"user": "Cleo Cruz", "proj": "Atlas", "key": "prod"}


def twice(table: type[Contract], kind: str) -> pl.DataFrame:
    """Two of one name in the directory."""
    ids = (f"{kind}_1", f"{kind}_2")
    return of(table, *({"connection": "acme", "id": one, "name": NAMES[kind]} for one in ids))


def test_namesakes_are_distinguished_on_the_whole_page() -> None:
    cause = {"dimension": "api_key", "id": "key_1", "name": "prod", "impact_usd": "5"}
    cleo = {"series_kind": "user", "series_id": "user_2", "series_name": "Cleo Cruz"}
    saving = {"subject_kind": "project", "subject": "proj_2 gpt-5", "subject_name": "Atlas"}
    key = {"api_key_id": "key_2", "key_name": "prod", "project_id": "proj_1"}
    made = distinguished(
        of_rows(
            users=twice(Users, "user"),
            projects=twice(Projects, "proj"),
            api_keys=twice(ApiKeys, "key"),
            anomalies=of(SpendAnomalies, cleo | {"causes": json.dumps([cause])}),
            optimization=of(Optimization, saving, saving | {"subject_name": None}),
            bypass=of(GatewayBypass, key | {"project_name": "Atlas"}),
            seats=of(Seats, {"user_id": "user_1", "name": "Cleo Cruz"}),
        )
    )
    assert made.anomalies["series_name"].to_list() == ["Cleo Cruz \u00b7 user_2"]
    assert json.loads(made.anomalies["causes"].item())[0]["name"] == "prod \u00b7 key_1"
    assert made.optimization["subject_name"].to_list() == ["Atlas \u00b7 proj_2", None]
    assert made.bypass["key_name"].to_list() == ["prod \u00b7 key_2"]
    assert made.bypass["project_name"].to_list() == ["Atlas \u00b7 proj_1"]
    assert made.seats["name"].to_list() == ["Cleo Cruz \u00b7 user_1"]
