"""Prints docs/tables.md: `python -m openai_costs.outputs.publish.reference > docs/tables.md`.

With `--dbt` it prints dbt's sources file of the same tables and views, docs/dbt/openai_costs.yml.
It publishes an empty lake into a scratch folder and reads the views off the result, so that their
columns and types are those that readers meet.
"""

import sys
from collections.abc import Iterable, Iterator
from tempfile import TemporaryDirectory

import polars as pl
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
from upath import UPath

from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.dbt_sources import Described, sources
from openai_costs.storage.lake import Lake
from openai_costs.storage.live_rows import SQL_TYPES
from openai_costs.storage.sql import connected
from openai_costs.tables.contract import Contract, all_contracts

INTRODUCTION = """\
# Tables

Written by `python -m openai_costs.outputs.publish.reference` from the contracts in
`openai_costs/tables/` and the views in `openai_costs/outputs/publish/bi/`. Do not edit it by hand.

The same tables are in `published/openai_costs.duckdb` (schemas `core`, `mart` and `bi`) and, apart
from the views, in `published/parquet/<schema>.<table>/`. Every table and column of the
database carries the text below as a comment, and `bi.data_dictionary` lists them all.

`DECIMAL(38,18)` is exact. `DOUBLE`, in the views only, is not: use `core` or `mart` to reconcile.
Timestamps are UTC, without a zone. How the numbers come about: [how we count
money](how-we-count-money.md)."""

COLUMNS_OF_VIEWS = """
    SELECT c.table_name, v.comment, c.column_name, c.data_type, c.comment
    FROM duckdb_columns() c
    JOIN duckdb_views() v ON v.schema_name = c.schema_name AND v.view_name = c.table_name
    WHERE c.schema_name = 'bi' ORDER BY c.table_name, c.column_index
"""


def document() -> Iterator[str]:
    """Yield the lines of docs/tables.md."""
    yield from INTRODUCTION.splitlines()
    for table in all_contracts():
        yield from _table(table)
    views = _views().partition_by("view", "about", as_dict=True, maintain_order=True)
    for (view, about), columns in views.items():
        heads = ("column", "type", "unit", "meaning")
        yield from _section(f"bi.{view}", str(about), heads, columns.drop("view", "about").rows())


def _table(table: type[Contract]) -> Iterator[str]:
    about = " ".join((table.__doc__ or "").split())
    rows = [
        (name, SQL_TYPES[str(kind)], unit, "yes" if nullable else "no", text)
        for name, kind, unit, text, nullable in table.describe()
    ]
    heads = ("column", "type", "unit", "may be null", "meaning")
    yield from _section(table.full_name(), about, heads, rows)
    grain = table.to_schema().unique or []
    yield from ("", f"No two rows have the same {', '.join(f'`{name}`' for name in grain)}.")


def _views() -> pl.DataFrame:
    """Return the columns of the views: view, about, column, type, unit, meaning."""
    with TemporaryDirectory() as scratch:
        home = UPath(scratch)
        done = publish(home, Lake(home))
        with connected(str(done.path), read_only=True) as sql:
            found = sql.execute(COLUMNS_OF_VIEWS).fetchall()
    schema = ("view", "about", "column", "type", "meaning")
    unit = pl.col("meaning").str.extract(r" \[([^\]]+)\]$").fill_null("")
    meaning = pl.col("meaning").str.replace(r" \[[^\]]+\]$", "")
    frame = pl.DataFrame(found, schema=schema, orient="row").with_columns(unit=unit, text=meaning)
    return frame.select("view", "about", "column", "type", "unit", meaning="text")


def _section(
    name: str, about: str, heads: Iterable[str], rows: Iterable[tuple[object, ...]]
) -> Iterator[str]:
    heads = tuple(heads)
    yield from ("", f"## {name}", "", about, "", _line(heads), "|" + "---|" * len(heads))
    yield from (_line((f"`{row[0]}`", *row[1:])) for row in rows)


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |".replace("|  |", "| |")


DBT = """\
# Written by `python -m openai_costs.outputs.publish.reference --dbt` from the contracts.
# Do not edit it by hand. How to use it: docs/bi.md#dbt
"""


def dbt() -> str:
    """Return dbt's sources file."""
    of_bi = (Described("bi", one.name, one.about, one.columns, frozenset()) for one in VIEWS)
    content = sources([*map(_described, all_contracts()), *of_bi])
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10_000)
    return DBT + text


def _described(table: type[Contract]) -> Described:
    columns = {
        name: f"{text} [{unit}]" if unit else text for name, _, unit, text, _ in table.describe()
    }
    required = frozenset(name for name, *_, nullable in table.describe() if not nullable)
    about = " ".join(table.about().split())
    return Described(table.schema_name(), table.table_name(), about, columns, required)


if __name__ == "__main__":
    sys.stdout.write(dbt() if "--dbt" in sys.argv[1:] else "\n".join(document()) + "\n")
