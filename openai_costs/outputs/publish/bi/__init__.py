"""The views for BI tools: classic types only, a comment on everything. As data, not code.

Money is DOUBLE here, because BI tools know no DECIMAL(38,18); core and mart are exact.
"""

from openai_costs.outputs.publish.bi.budgets import BUDGETS, FORECAST
from openai_costs.outputs.publish.bi.daily import DAILY
from openai_costs.outputs.publish.bi.directory import DIRECTORY
from openai_costs.outputs.publish.bi.findings import FINDINGS_AND_ANOMALIES
from openai_costs.outputs.publish.bi.focus import FOCUS
from openai_costs.outputs.publish.bi.incidents import INCIDENTS
from openai_costs.outputs.publish.bi.marts import GATEWAY, MONEY_MARTS
from openai_costs.outputs.publish.bi.months import MONTHS
from openai_costs.outputs.publish.bi.people import PEOPLE
from openai_costs.outputs.publish.bi.question_scope import QUESTION_SCOPE
from openai_costs.outputs.publish.bi.spend import SPEND
from openai_costs.outputs.publish.bi.start_here import start_here
from openai_costs.outputs.publish.bi.unit_costs import UNIT_COSTS
from openai_costs.outputs.publish.bi.usage import USAGE
from openai_costs.outputs.publish.bi.view import View

# The view that explains all others.

DICTIONARY = View(
    name="data_dictionary",
    about="What every column means. One row per column in this database.",
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
        "table_comment": "What the table holds, and what one row is.",
        "column_name": "The column.",
        "data_type": "Its DuckDB type.",
        "column_comment": "What the column holds, with its unit in brackets.",
    },
    answers="What does this column mean?",
)

__all__ = ["VIEWS", "View"]

_IN_READING_ORDER: tuple[View, ...] = (
    MONTHS,
    FORECAST,
    DAILY,
    *SPEND,
    *PEOPLE,
    UNIT_COSTS,
    *USAGE,
    *BUDGETS,
    *FINDINGS_AND_ANOMALIES,
    INCIDENTS,
    *MONEY_MARTS,
    *DIRECTORY,
    *GATEWAY,
    FOCUS,
    QUESTION_SCOPE,
    DICTIONARY,
)

VIEWS: tuple[View, ...] = (start_here(_IN_READING_ORDER), *_IN_READING_ORDER)
