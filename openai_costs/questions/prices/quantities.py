"""The quantity of each line of the bill. Pure.

The bill's own quantity counts where it has one. Usage replaces it only where it can mean that line
alone: one line for one pool of usage, and no pool of the same kind left over.
"""

from decimal import Decimal
from typing import Final

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.usage.billable import POOL, STANDARD

TOO_MANY: Final = Decimal(1_000_000_000_000_000)
"""No line of a day counts a quadrillion of anything: such a quantity is not used."""

LABEL: Final = ["connection", "day", "line_item"]
SIDE: Final = ["connection", "day", "model", "usage_type"]
# What a line without a side is about, by the unit of its price (see the catalogue).
_ONLY_USE: Final = {
    "duration_seconds": "duration",
    "characters": "characters",
    "tokens": "input",
}


def quantified(lines: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with quantity, quantity_source and quantity_unit.

    Args:
        lines: One row per day, label and unit, with billed_quantity, as the bill has it, and
            priced_unit, the unit that its price is for.
        used: `usage.billable.billable` of the same days.
    """
    numbered = lines.with_row_index("line")
    found = numbered.join(_stand_ins(numbered, used), on="line", how="left").with_columns(
        own=pl.when(_has_unit()).then(_believable("billed_quantity")),
        other=pl.when(pl.col("priced_unit") == pl.col("used_unit")).then(
            _believable("used_quantity")
        ),
    )
    is_own, is_other = (pl.col(name).is_not_null() for name in ("own", "other"))
    unit = pl.when(is_own | is_other).then(pl.col("priced_unit"))
    source = pl.when(is_own).then(pl.lit("ledger")).when(is_other).then(pl.lit("usage"))
    return found.with_columns(
        quantity=pl.coalesce("own", "other"),
        quantity_source=source,
        quantity_unit=pl.coalesce(pl.col("quantity_unit"), unit),
    )


def _has_unit() -> pl.Expr:
    """Return whether the bill says what its quantity counts.

    A number without a unit is not tokens; where the label is for nothing else, it is calls.
    """
    is_calls = (pl.col("priced_unit") == "calls") & (pl.len().over(LABEL) == 1)
    return pl.col("quantity_unit").is_not_null() | is_calls


def _believable(column: str) -> pl.Expr:
    return pl.when(pl.col(column).abs() < TOO_MANY).then(pl.col(column).cast(MONEY))


def _stand_ins(lines: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Return the usage that replaces a missing quantity: line, used_quantity, used_unit."""
    claims = _claims(lines)
    is_alone = pl.len().over(POOL) == 1
    # Beside a line for audio, one that names no modality may be text or all of them.
    is_plain = pl.col("modality").is_null().n_unique().over(SIDE) == 1
    pools = used.join(
        _left_over(claims, used), on=[*SIDE, "modality"], how="anti", nulls_equal=True
    )
    return (
        claims.filter(is_alone & is_plain)
        .join(pools, on=POOL, nulls_equal=True)
        .select("line", used_quantity="quantity", used_unit="quantity_unit")
    )


def _claims(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the pool of usage that each line is for: line, and the columns of a pool."""
    only_use = pl.col("priced_unit").replace_strict(_ONLY_USE, default=None, return_dtype=pl.String)
    return lines.with_columns(
        model=canonical_model(),
        usage_type=pl.coalesce("usage_type", only_use),
        service_tier=pl.col("service_tier").fill_null(STANDARD),
    ).select("line", *POOL)


def _left_over(claims: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Return kinds with usage that no line names, such as batches billed with all the others."""
    is_something = pl.col("quantity").fill_null(1) > 0
    return used.filter(is_something).join(claims, on=POOL, how="anti", nulls_equal=True)
