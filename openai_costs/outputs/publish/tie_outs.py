"""Where the tables of a publication do not tie out, before readers see anything of it.

All settled days are compared as they were built. What a difference is and what helps:
questions/spend/verification.py. What becomes of such a day: last_publication.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import duckdb
import polars as pl

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.money import MONEY
from openai_costs.outputs.publish import key_sums
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.questions.spend.verification import (
    LAKE,
    OF_BASIS,
    PAGES,
    RAW,
    Difference,
    differences,
    withheld_text,
    without,
)
from openai_costs.storage.counted import Shown
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Slice
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.spend import UNBILLED, Spend
from openai_costs.tables.core.spend_control import SpendControl

SUMS = pl.Schema({"connection": pl.String(), "day": pl.Date(), "usd": MONEY})
"""Daily sums: what the rows of each connection and day add up to."""

_SUMS_OF = pl.Schema({"part": pl.String(), **SUMS})
SUMMED = tuple(table for table in TOGETHER if table is not SpendControl)
_CONTROL = ("connection", "day", "billed_usd", "metered_usd", "estimated_usd", "is_settled")


class PublicationRefused(OpenAICostsError):  # noqa: N818 - the name is the sentence's subject
    """What was built does not tie out even with the last published rows: nothing is replaced."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        kept = "Nothing was published, and readers keep the last publication."
        super().__init__(f"{kept} {withheld_text(differences)}")


def parts_of(table: type[Contract], source: str) -> dict[str, str]:
    """Return what is added up of a table, by name: its counted rows, and each other cost basis.

    Args:
        table: The table.
        source: Its rows in SQL: its name, or a function that reads files.
    """
    parts = {table.full_name(): Shown().relation(table, source)}
    if table is not Spend:
        return parts
    others = zip(OF_BASIS, UNBILLED, strict=True)
    return parts | {
        name: f"(SELECT * FROM {source} WHERE cost_basis = '{basis}')"  # noqa: S608 - our own names
        for name, basis in others
    }


def daily_sums(
    sql: duckdb.DuckDBPyConnection, sources: Mapping[type[Contract], str]
) -> dict[str, pl.DataFrame]:
    """Return the daily sums of some tables in one question, by the names of their parts.

    Args:
        sql: Where the tables are.
        sources: The rows of each table: its name, or a function that reads files.
    """
    return added_up(sql, _all_parts(sources))


def _all_parts(sources: Mapping[type[Contract], str]) -> dict[str, str]:
    return {
        name: rows
        for table, source in sources.items()
        for name, rows in parts_of(table, source).items()
    }


def added_up(sql: duckdb.DuckDBPyConnection, parts: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """Return the daily sums of parts in one question, by their names.

    Args:
        sql: Where they are.
        parts: The rows of each in SQL.
    """
    rows = sql.execute(_question(parts)).fetchall()
    return _by_part(pl.DataFrame(rows, schema=_SUMS_OF, orient="row"), parts)


def lake_sums(lake: Lake, table: type[Contract]) -> dict[str, pl.DataFrame]:
    """Return the daily sums of a table of the lake, by the names of its parts."""
    parts = parts_of(table, "stored")
    return _by_part(lake.uncounted().ask(table, _question(parts), _SUMS_OF), parts)


def _question(parts: Mapping[str, str]) -> str:
    return " UNION ALL ".join(
        f"SELECT '{name}', connection, day, sum(billed_usd) FROM {rows} GROUP BY ALL"  # noqa: S608 - our own names
        for name, rows in parts.items()
    )


def _by_part(sums: pl.DataFrame, parts: Iterable[str]) -> dict[str, pl.DataFrame]:
    return {name: sums.filter(part=name).drop("part") for name in parts}


def built_sums(sql: duckdb.DuckDBPyConnection) -> dict[str, pl.DataFrame]:
    """Return the daily sums of built tables, by the names of their parts."""
    parts = _all_parts({table: table.full_name() for table in SUMMED})
    return added_up(sql, {**parts, key_sums.NAME: key_sums.NAME})


def untied(
    sql: duckdb.DuckDBPyConnection, sums: Mapping[str, pl.DataFrame], place: str
) -> list[Difference]:
    """Return where the settled days of built tables do not tie out; float noise does.

    Args:
        sql: Where the tables are.
        sums: Their daily sums.
        place: What a sentence calls that.
    """
    found = differences(_control(sql), {(place, name): of for name, of in sums.items()})
    return [one for one in found if not one.is_noise]


def untied_pages(
    sql: duckdb.DuckDBPyConnection, lake: Lake, in_flight: Sequence[tuple[str, date]]
) -> list[Difference]:
    """Return where what the pages of a settled day added up to is not its control total.

    Args:
        sql: Where the built tables are.
        lake: Whose files say what their pages added up to.
        in_flight: Slices whose built rows are of an older read than their files.
    """
    control = without(_control(sql), (Slice(*key) for key in in_flight))
    return _of_pages(control, lake)


def untied_lake(lake: Lake, in_flight: Sequence[tuple[str, date]]) -> list[Difference]:
    """Return where the settled days of the lake do not tie out; slices in flight have to wait."""
    control = without(lake.read(SpendControl), (Slice(*key) for key in in_flight))
    sums = {(LAKE, name): of for one in SUMMED for name, of in lake_sums(lake, one).items()}
    found = [one for one in differences(control, sums) if not one.is_noise]
    return [*_of_pages(control, lake), *found]


def _of_pages(control: pl.DataFrame, lake: Lake) -> list[Difference]:
    pages = lake.page_sums(Spend).rename({"page_usd": "usd"})
    stamped = control.join(pages, on=["connection", "day"], how="semi")
    return [one for one in differences(stamped, {(RAW, PAGES): pages}) if not one.is_noise]


def _control(sql: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    question = f"SELECT {', '.join(_CONTROL)} FROM {SpendControl.full_name()}"  # noqa: S608 - our own names
    rows = sql.execute(question).fetchall()
    schema = {name: SpendControl.types()[name] for name in _CONTROL}
    return pl.DataFrame(rows, schema=schema, orient="row")
