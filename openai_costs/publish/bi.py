"""The views for BI tools: classic types only, a comment on everything. As data, not code.

Money is DOUBLE here, because BI tools know no DECIMAL(38,18); core and mart are exact.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view of the schema `bi`.

    Args:
        name: Its name.
        about: What one row is.
        sql: The SELECT behind it.
        columns: What each column holds, with its unit.
    """

    name: str
    about: str
    sql: str
    columns: dict[str, str]


_COMMON = {
    "day": "The UTC day the usage was billed on. [UTC day]",
    "month": "First day of the day's calendar month. [UTC day]",
    "connection": "The connection (organisation or account) of openai_costs.toml.",
    "provider": "Who billed: openai.",
    "model": "Model; empty where the line item names none.",
    "usage_type": "What was used: input, cached_input, output, ...",
    "team": "The team, where one is known.",
    "billed_usd": "Dollars billed, before credits and taxes; rounded to a double. [USD]",
    "state": "settled, provisional (still moving) or missing (never read).",
}


def _common(*names: str) -> dict[str, str]:
    return {name: _COMMON[name] for name in names}


_CUT = (
    "day",
    "month",
    "connection",
    "provider",
    "team",
    "model",
    "usage_type",
    "billed_usd",
    "state",
)

VIEWS = (
    View(
        name="cost_daily",
        about="Daily cost by project, key and model. One row per UTC day, connection, project, API "
        "key, model and usage type.",
        sql="""
            SELECT s.day, CAST(date_trunc('month', s.day) AS DATE) AS month,
                   s.connection, s.provider,
                   s.project_id, coalesce(s.project_name, s.project_id, '(no project)') AS project,
                   s.api_key_id, coalesce(s.api_key_name, s.api_key_id, '(no key)') AS api_key,
                   s.team, s.model, s.usage_type, CAST(s.billed_usd AS DOUBLE) AS billed_usd,
                   c.state
            FROM mart.spend s
            LEFT JOIN mart.coverage c
              ON c.connection = s.connection AND c.day = s.day AND c.source = 'costs'
        """,
        columns=_common(*_CUT)
        | {
            "project_id": "The project's id; null when the provider named none.",
            "project": "The project's name, or its id, or (no project).",
            "api_key_id": "The API key's id; null for spend without a key.",
            "api_key": "The key's name, or its id, or (no key).",
        },
    ),
    View(
        name="cost_by_user",
        about="Daily cost by user and model. One row per UTC day, connection, user, model, usage "
        "type and attribution.",
        sql="""
            SELECT s.day, CAST(date_trunc('month', s.day) AS DATE) AS month,
                   s.connection, s.provider,
                   s.user_id, coalesce(s.user_name, s.user_id, '(unattributed)') AS user_label,
                   s.team, s.model, s.usage_type, CAST(s.billed_usd AS DOUBLE) AS billed_usd,
                   s.attribution, c.state
            FROM mart.spend_by_user s
            LEFT JOIN mart.coverage c
              ON c.connection = s.connection AND c.day = s.day AND c.source = 'costs'
        """,
        columns=_common(*_CUT)
        | {
            "user_id": "The user's or service account's id; null when unattributed.",
            "user_label": "The user's name, or id, or (unattributed).",
            "attribution": "How the dollars found the user: direct or unattributed.",
        },
    ),
    View(
        name="coverage",
        about="Which days can be believed. One row per connection, source and UTC day.",
        sql="""
            SELECT connection, source, day, state, rows, CAST(billed_usd AS DOUBLE) AS billed_usd,
                   read_at
            FROM mart.coverage
        """,
        columns=_common("connection", "day", "state", "billed_usd")
        | {
            "source": "What was read: costs.",
            "rows": "Ledger rows of the day; null when missing. [rows]",
            "read_at": "When the provider was asked. [UTC timestamp]",
        },
    ),
    View(
        name="data_dictionary",
        about="What every column means. One row per column of this database.",
        sql="""
            SELECT c.schema_name AS table_schema, c.table_name, t.comment AS table_comment,
                   c.column_name, c.data_type, c.comment AS column_comment
            FROM duckdb_columns() c
            JOIN (SELECT schema_name, table_name, comment FROM duckdb_tables()
                  UNION ALL SELECT schema_name, view_name, comment FROM duckdb_views()) t
              ON t.schema_name = c.schema_name AND t.table_name = c.table_name
            WHERE c.schema_name IN ('core', 'mart', 'bi') AND c.database_name = current_database()
        """,
        columns={
            "table_schema": "core, mart or bi.",
            "table_name": "The table or view.",
            "table_comment": "What one row is.",
            "column_name": "The column.",
            "data_type": "Its DuckDB type.",
            "column_comment": "What it holds, with its unit in brackets.",
        },
    ),
)
