"""Where the tables of a publication do not tie out, before readers see anything of it.

All settled days are compared as they were built. What a difference is and what helps:
questions/spend/verification.py. What becomes of such a day: last_publication.py.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import polars as pl

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.money import MONEY
from openai_costs.questions.spend.verification import (
    LAKE,
    PAGES,
    RAW,
    Difference,
    differences,
    withheld_text,
    without,
)
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser as MartSpendByUser

TOGETHER = (Spend, SpendByUser, SpendControl, MartSpend, SpendAttribution, MartSpendByUser)
"""The daily tables that add up to one another: published from the same read, or not at all."""

SUMS = pl.Schema({"connection": pl.String(), "day": pl.Date(), "usd": MONEY})
"""Daily sums: what the rows of each connection and day add up to."""

SUMMED = tuple(table for table in TOGETHER if table is not SpendControl)
PER_DAY = "SELECT connection, day, sum(billed_usd) FROM stored GROUP BY ALL"
"""The daily sums of a table of the lake."""

_CONTROL = ("connection", "day", "billed_usd", "is_settled")


class PublicationRefused(OpenAICostsError):  # noqa: N818 - the name is the sentence's subject
    """What was built does not tie out even with the last published rows: nothing is replaced."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        kept = "Nothing was published, and readers keep the last publication."
        super().__init__(f"{kept} {withheld_text(differences)}")


def daily_sums(
    sql: duckdb.DuckDBPyConnection, sources: Mapping[str, str]
) -> dict[str, pl.DataFrame]:
    """Return the daily sums of some tables in one question, by the names given to them.

    Args:
        sql: Where the tables are.
        sources: By name: a table, or a function that reads files.
    """
    parts = (
        f"SELECT '{name}', connection, day, sum(billed_usd) FROM {source} GROUP BY ALL"  # noqa: S608 - our own names
        for name, source in sources.items()
    )
    rows = sql.execute(" UNION ALL ".join(parts)).fetchall()
    return {
        name: pl.DataFrame([row[1:] for row in rows if row[0] == name], schema=SUMS, orient="row")
        for name in sources
    }


def untied(sql: duckdb.DuckDBPyConnection, place: str) -> list[Difference]:
    """Return where the settled days of built tables do not tie out; float noise does.

    Args:
        sql: Where the tables are.
        place: What a sentence calls that.
    """
    names = [table.full_name() for table in SUMMED]
    sums = daily_sums(sql, {name: name for name in names})
    found = differences(_control(sql), {(place, name): sums[name] for name in names})
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
    sums = {(LAKE, one.full_name()): lake.ask(one, PER_DAY, SUMS) for one in SUMMED}
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
