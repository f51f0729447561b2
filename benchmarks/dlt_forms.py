"""dlt reading the same costs into DuckDB: its REST source as documented, and a hand-written parser.

Both read the ledger's grouping only: no control total, no user view, nothing kept as evidence, no
tables derived. They do less than our pipeline does. https://dlthub.com/docs
"""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import dlt
import duckdb
import httpx
import pyarrow as pa
from dlt.sources.rest_api import rest_api_source
from work import FIRST_DAY, Outcome, Task, window_params

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

KEY = "sk-admin-benchmark"
MONEY = pa.decimal128(38, 18)
TEXTS = ("project_id", "user_id", "api_key_id", "line_item", "quantity_unit")
SCHEMA = pa.schema(
    [
        pa.field("day_start", pa.int64()),
        *(pa.field(name, pa.string()) for name in TEXTS),
        pa.field("quantity", MONEY),
        pa.field("amount_value", MONEY),
    ]
)


def rest_api(task: Task) -> Outcome:
    """Declare the endpoint and let dlt unnest, type and load it."""
    params: dict[str, Any] = dict(window_params(FIRST_DAY, task.days, ()))
    params |= {"limit": task.buckets_a_window, "group_by[]": list(task.groupings[0])}
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{task.base_url}/",
                "auth": {"type": "bearer", "token": KEY},
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "next_page",
                    "cursor_param": "page",
                },
            },
            "resources": [
                {
                    "name": "costs",
                    "endpoint": {
                        "path": "organization/costs",
                        "params": params,
                        "data_selector": "data",
                    },
                }
            ],
        }
    )
    return _loaded(task, source, "costs__results", "amount__value")


def arrow(task: Task) -> Outcome:
    """Parse every page by hand into an Arrow table and let dlt load it."""
    return _loaded(task, dlt.resource(_tables(task), name="costs"), "costs", "amount_value")


def _tables(task: Task) -> Iterator[pa.Table]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(headers=headers, timeout=120.0) as client:
        for first, days in task.windows():
            params = window_params(first, days, task.groupings[0])
            answer = client.get(f"{task.base_url}/organization/costs", params=params)
            yield _table(json.loads(answer.raise_for_status().content, parse_float=Decimal))


def _table(page: dict[str, Any]) -> pa.Table:
    results = [result for bucket in page["data"] for result in bucket["results"]]
    days = [bucket["start_time"] for bucket in page["data"] for _ in bucket["results"]]
    return pa.table(
        [
            pa.array(days, pa.int64()),
            *(pa.array([result[name] for result in results], pa.string()) for name in TEXTS),
            pa.array([_decimal(result["quantity"]) for result in results], MONEY),
            pa.array([_decimal(result["amount"]["value"]) for result in results], MONEY),
        ],
        schema=SCHEMA,
    )


def _decimal(number: Decimal | int | None) -> Decimal | None:
    return Decimal(number) if isinstance(number, int) else number


def _loaded(task: Task, data: object, table: str, column: str) -> Outcome:
    database = task.home / "dlt.duckdb"
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(task.home / "pipelines"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="bench",
    )
    pipeline.run(data).raise_on_failed_jobs()

    def stored_total() -> tuple[Decimal, str]:
        with duckdb.connect(database, read_only=True) as sql:
            total, kind = sql.sql(
                f"SELECT sum({column}), any_value(typeof({column})) FROM bench.{table}"  # noqa: S608
            ).fetchall()[0]
        return Decimal(total), kind

    with duckdb.connect(database, read_only=True) as sql:
        rows = sql.sql(f"SELECT count(*) FROM bench.{table}").fetchall()[0][0]  # noqa: S608
    return Outcome(rows, stored_total)
