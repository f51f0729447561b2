"""What each API key did on a day, by model, and how much of it the gateway did not meter. Pure.

The shortfall is that of mart.cost_reconciliation: for each model, the tokens that the bill has and
the meter has not, at the bill's price. Dollars metered too dear for one model hide no leak of
another.
"""

import polars as pl

from openai_costs.kernel.money import MONEY, unless_tiny
from openai_costs.questions.credits import is_credit
from openai_costs.questions.model_names import undated_model
from openai_costs.questions.token_kinds import KINDS, all_tokens

KEY_DAY = ("day", "connection", "project_id", "api_key_id")
GRAIN = ("provider", *KEY_DAY, "model")
_POOL = ["day", "connection", "level", "ref"]
_OF_MODEL = [*_POOL, "model"]
_NOTHING = pl.lit(0).cast(MONEY)


def key_models(ledger: pl.DataFrame, usage: pl.DataFrame) -> pl.DataFrame:
    """Return every key and model active on a day: `GRAIN`, billed_usd (0 without a line), tokens.

    A credit is not spend that could have come through the gateway: one that names no key is left
    out, and so is a key that was billed nothing but credits.

    Args:
        ledger: core.spend.
        usage: core.usage.
    """
    has_no_key = pl.col("api_key_id").is_null()
    spent = ledger.filter(~(has_no_key & is_credit())).with_columns(model=undated_model())
    billed = spent.group_by(GRAIN).agg(pl.col("billed_usd").sum())
    counts = usage.filter(
        pl.col("input_tokens").is_not_null() | pl.col("output_tokens").is_not_null()
    ).with_columns(model=undated_model())
    used = counts.group_by(GRAIN).agg(tokens=all_tokens().sum().cast(pl.Int64))
    joined = billed.join(used, on=GRAIN, how="full", coalesce=True, nulls_equal=True)
    return joined.with_columns(pl.col("billed_usd").fill_null(0)).filter(
        (pl.col("billed_usd") > 0) | (pl.col("tokens").fill_null(0) > 0)
    )


def with_shortfall(rows: pl.DataFrame, reconciliation: pl.DataFrame) -> pl.DataFrame:
    """Return rows with metered_usd, unmetered_usd and unmetered_tokens.

    What is compared together (a project, the keys of the gateway) shares its numbers in proportion
    to what each row was billed. All three are null where the day has not settled on both sides and
    where nothing says what was metered.

    Args:
        rows: `key_models`, with what covers them.
        reconciliation: mart.cost_reconciliation of the same days.
    """
    pools = _pools(reconciliation)
    shortfalls = _explained_elsewhere(pools, _unplaced(reconciliation))
    of_pool = pools.group_by(_POOL).agg(
        pool_metered_usd=pl.col("metered_usd").sum(), is_settled=pl.col("is_settled").all()
    )
    found = (
        rows.with_columns(ref=_ref())
        .join(shortfalls, on=_OF_MODEL, how="left", nulls_equal=True)
        .join(of_pool, on=_POOL, how="left")
    )
    shares = {
        "metered_usd": _shared("pool_metered_usd", _POOL),
        "unmetered_usd": _shared("shortfall_usd", _OF_MODEL).fill_null(0),
        "unmetered_tokens": _shared("shortfall_tokens", _OF_MODEL),
    }
    judged = {name: pl.when("is_settled").then(share) for name, share in shares.items()}
    return found.with_columns(**judged).select(*rows.columns, *judged)


def _ref() -> pl.Expr:
    """Return what a row is compared with: its key, its project, or all keys of the gateway."""
    level = pl.col("level")
    return (
        pl.when(level == "key")
        .then("api_key_id")
        .when(level == "project")
        .then("project_id")
        .when(level == "gateway")
        .then(pl.lit(""))
    )


def _pools(reconciliation: pl.DataFrame) -> pl.DataFrame:
    """Return both sides of what is compared, by model: metered_usd, shortfall_usd and _tokens."""
    counted = pl.col("usage_type").is_in(KINDS) | pl.col("usage_type").is_null()
    lacking = pl.sum_horizontal("missing_on_meter_usd", "missing_on_bill_usd", "unexplained_usd")
    tokens = (pl.col("billed_tokens") - pl.col("metered_tokens").fill_null(0)).filter(counted)
    is_metered, is_free = _is_metered().any(), pl.col("metered_usd").sum() == 0
    return (
        reconciliation.with_columns(ref=_ref())
        .filter(pl.col("ref").is_not_null())
        .group_by(_OF_MODEL)
        .agg(
            pl.col("metered_usd").sum(),
            shortfall_usd=pl.max_horizontal(lacking.filter(counted).sum(), _NOTHING),
            shortfall_tokens=pl.when(tokens.is_not_null().all()).then(
                pl.max_horizontal(tokens.sum(), _NOTHING)
            ),
            is_billed=(pl.col("billed_usd") != 0).any(),
            is_metered=is_metered,
            is_unpriced=is_metered & is_free,
            is_settled=pl.col("is_settled").all(),
        )
    )


def _is_metered() -> pl.Expr:
    return (pl.col("metered_usd") != 0) | (pl.col("metered_tokens").fill_null(0) > 0)


def _unplaced(reconciliation: pl.DataFrame) -> pl.DataFrame:
    """Return what was metered for tokens that nothing maps: it may be any key's of that model."""
    unmapped = reconciliation.filter(_is_metered(), level="unmapped")
    usd = pl.col("metered_usd").sum()
    return unmapped.group_by("day", "model").agg(unplaced_usd=usd, is_unplaced_unpriced=usd == 0)


def _explained_elsewhere(pools: pl.DataFrame, unplaced: pl.DataFrame) -> pl.DataFrame:
    """Return the shortfalls less what else on the meter may explain them.

    A model that only the bill names and one that only the meter names may be one model under two
    names: what was metered for the latter counts against what is missing of the former. So does
    what was metered for tokens that nothing maps. Tokens go in proportion to the dollars.
    """
    is_absent, is_strange = ~pl.col("is_metered"), ~pl.col("is_billed")
    strange_usd = pl.col("metered_usd").filter(is_strange).sum().over(_POOL)
    is_unknown = (pl.col("is_unpriced") & is_strange).any().over(_POOL)
    named = pools.with_columns(
        whole_usd=pl.col("shortfall_usd"),
        shortfall_usd=pl.when(is_absent)
        .then(_less(strange_usd, is_unknown, is_absent, _POOL))
        .otherwise("shortfall_usd"),
    ).join(unplaced, on=["day", "model"], how="left", nulls_equal=True)
    unplaced_usd = pl.col("unplaced_usd").fill_null(0)
    is_unpriced = pl.col("is_unplaced_unpriced").fill_null(False)
    everywhere = pl.lit(value=True)
    left = _less(unplaced_usd, is_unpriced, everywhere, ["day", "model"])
    rest = named.with_columns(shortfall_usd=left)
    return rest.select(*_OF_MODEL, "shortfall_usd", shortfall_tokens=_in_proportion())


def _in_proportion() -> pl.Expr:
    """Return the tokens of what is left of a shortfall, whole ones."""
    whole, left, tokens = map(pl.col, ("whole_usd", "shortfall_usd", "shortfall_tokens"))
    part = (tokens.cast(MONEY) * left / unless_tiny(whole)).round().cast(pl.Int64)
    return pl.when(left == whole).then(tokens.cast(pl.Int64)).otherwise(part)


def _less(usd: pl.Expr, is_unknown: pl.Expr, among: pl.Expr, over: list[str]) -> pl.Expr:
    """Return shortfalls less dollars, shared in proportion; nothing where these are unknown."""
    own = pl.col("shortfall_usd")
    whole = own.filter(among).sum().over(over)
    share = (own * pl.min_horizontal(usd, whole) / unless_tiny(whole)).fill_null(0).cast(MONEY)
    return pl.when(is_unknown).then(_NOTHING).when(usd > 0).then(own - share).otherwise(own)


def _shared(amount: str, over: list[str]) -> pl.Expr:
    """Return a row's part of an amount of what it is compared with, by what it was billed."""
    billed = pl.max_horizontal("billed_usd", _NOTHING)
    part = pl.col(amount).cast(MONEY) * billed / unless_tiny(billed.sum().over(over))
    is_alone = pl.len().over(over) == 1
    return pl.when(is_alone).then(pl.col(amount).cast(MONEY)).otherwise(part.cast(MONEY))
