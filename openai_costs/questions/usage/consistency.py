"""Whether the billed tokens are the tokens that were used, by model and day. Pure.

The vendor says that the two "may not always reconcile perfectly". This compares whether usage can
explain the bill at all; it does not verify the bill.
"""

from typing import Final

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.token_kinds import KINDS, all_tokens
from openai_costs.tables.token_counts import contradictions as contradicting

SLICE: Final = ["connection", "day"]

KEY: Final = [*SLICE, "model"]

COLUMNS: Final = [*KEY, "billed_usd", "billed_tokens", "used_tokens", "gap_pct"]

TOLERATED_PCT: Final = 2


def billed_tokens(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the tokens on the bill: one row per connection, day and model.

    `api_tokens` (and `billed_usd`) were asked for by a program; `other_tokens` the vendor spent
    itself on evals or assistants, and no page says whether it counts those as usage. Tokens are
    null where a line has no quantity. Refunds are left out: they take back dollars, and no use.

    Args:
        ledger: core.spend rows of whole days.
    """
    named = ledger.with_columns(model=canonical_model())
    is_side = pl.col("usage_type").is_in(KINDS) & pl.col("model").is_not_null()
    sides = named.filter(is_side & (pl.col("billed_usd") >= 0))
    is_api = pl.col("surface").fill_null("api") == "api"
    counted = pl.when(pl.col("quantity_unit") == "tokens").then(pl.col("quantity"))
    unknown = (counted.is_null() & (pl.col("billed_usd") != 0)).any()
    return (
        sides.group_by(KEY)
        .agg(
            billed_usd=pl.col("billed_usd").filter(is_api).sum(),
            api_tokens=pl.when(~unknown).then(counted.filter(is_api).sum()),
            other_tokens=pl.when(~unknown).then(counted.filter(~is_api).sum()),
        )
        .sort(KEY)
    )


def used_tokens(usage: pl.DataFrame) -> pl.DataFrame:
    """Return the tokens that usage counts: one row per connection, day and model that has usage.

    `used_tokens` is null for a model that is counted in something else: images, seconds.

    Args:
        usage: core.usage rows of whole days.
    """
    counts_tokens = pl.col("input_tokens").is_not_null()
    named = usage.with_columns(model=canonical_model(), tokens=all_tokens().cast(MONEY))
    return (
        named.filter(pl.col("model").is_not_null())
        .group_by(KEY)
        .agg(
            used_tokens=pl.when(counts_tokens.any()).then(
                pl.col("tokens").filter(counts_tokens).sum()
            )
        )
        .sort(KEY)
    )


def disagreements(billed: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Return where usage does not explain the bill.

    Args:
        billed: `billed_tokens`.
        used: `used_tokens`.

    Returns:
        connection, day, model, billed_usd, billed_tokens, used_tokens, gap_pct: where a billed
        model has no usage at all (used_tokens null), or differs by more than `TOLERATED_PCT`.
    """
    both = billed.join(used.with_columns(has_usage=pl.lit(True)), on=KEY, how="left")
    most = pl.col("api_tokens") + pl.col("other_tokens")
    nearest = pl.col("used_tokens").clip(pl.col("api_tokens"), most)
    compared = both.with_columns(
        billed_tokens=pl.when(pl.col("used_tokens").is_null()).then(most).otherwise(nearest)
    ).with_columns(gap=pl.col("used_tokens") - pl.col("billed_tokens"))
    is_far = pl.col("gap").abs() * 100 > pl.col("billed_tokens") * TOLERATED_PCT
    has_none = pl.col("has_usage").is_null() & (pl.col("billed_usd") > 0)
    share = pl.when(pl.col("billed_tokens") > 0).then(pl.col("billed_tokens"))
    return (
        compared.filter(is_far | has_none)
        .with_columns(gap_pct=pl.col("gap") * 100 / share)
        .select(COLUMNS)
        .sort(KEY)
    )


# Counts that no row can have.

ROW: Final = ["connection", "day", "endpoint", "model"]


def negative_counts(usage: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a count below zero: connection, day, endpoint, model, counts.

    Args:
        usage: core.usage rows.
    """
    names = [name for name in usage.columns if name.endswith("_tokens")] + ["num_model_requests"]
    each = [pl.when(pl.col(name) < 0).then(pl.format(f"{name} {{}}", name)) for name in names]
    counts = pl.concat_str(each, separator=", ", ignore_nulls=True)
    return usage.select(*ROW, counts=counts).filter(pl.col("counts") != "")


def contradictions(usage: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose parts do not add up: connection, day, endpoint, model, sums.

    Args:
        usage: core.usage rows.
    """
    sums: dict[int, list[str]] = {}
    for identity, rows in contradicting(usage.with_row_index("row")):
        for row in rows.iter_rows(named=True):
            sums.setdefault(row["row"], []).append(f"{identity.whole} {identity.sentence(row)}")
    wrong = usage.select(ROW)[sorted(sums)]
    texts = [", ".join(sums[row]) for row in sorted(sums)]
    return wrong.with_columns(sums=pl.Series(texts, dtype=pl.String))
