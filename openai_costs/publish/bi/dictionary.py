"""The view that explains all others: what every column means."""

from openai_costs.publish.bi.view import View

DICTIONARY = View(
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
)
