"""The same dollars in another cut: puts a further dimension on the rows of the ledger. Pure.

The vendor groups by five dimensions at a time. Two cuts share workspace, key, user, model and kind;
where one of the two has a single row there, what the other says is true of all of it. Where both
have several, or their sums differ, nothing is guessed: the dimension stays null.
"""

import polars as pl

from openai_costs.sources.anthropic.costs.pages import AMOUNTS, WHAT, WHO, summed

CELL = ["connection", "day", *WHO, *WHAT]
_USD = pl.col("billed_usd")


def refined(ledger: pl.DataFrame, cut: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Return the ledger's rows with a dimension of a cut; its sum is the ledger's.

    Args:
        ledger: Rows of pages with their connection and day, whatever dimensions they have so far.
        cut: Rows of pages that have the dimension; a day without such a page stays as it is.
        dimension: The dimension.
    """
    values = cut.group_by(*CELL, dimension).agg(summed())
    sides = _cells(ledger, "ledger").join(
        _cells(values, "cut"), on=CELL, how="left", nulls_equal=True
    )
    agrees = pl.col("ledger_usd") == pl.col("cut_usd")
    sides = sides.with_columns(
        is_labelled=(agrees & (pl.col("cut_rows") == 1)).fill_null(False),
        is_split=(agrees & (pl.col("cut_rows") > 1) & (pl.col("ledger_rows") == 1)).fill_null(
            False
        ),
    )
    rows = ledger.join(sides, on=CELL, how="left", nulls_equal=True)
    labels = values.select(*CELL, value=dimension)
    parts = [
        _labelled(rows.filter("is_labelled"), labels, dimension),
        _split(rows.filter("is_split"), values, dimension),
        rows.filter(~pl.col("is_labelled") & ~pl.col("is_split")),
    ]
    return pl.concat([one.select(ledger.columns) for one in parts])


def _labelled(rows: pl.DataFrame, labels: pl.DataFrame, dimension: str) -> pl.DataFrame:
    found = rows.join(labels, on=CELL, how="left", nulls_equal=True)
    return found.with_columns(pl.col("value").alias(dimension))


def _split(rows: pl.DataFrame, values: pl.DataFrame, dimension: str) -> pl.DataFrame:
    return rows.drop(*AMOUNTS, dimension).join(values, on=CELL, how="left", nulls_equal=True)


def _cells(rows: pl.DataFrame, side: str) -> pl.DataFrame:
    return rows.group_by(CELL).agg(pl.len().alias(f"{side}_rows"), _USD.sum().alias(f"{side}_usd"))
