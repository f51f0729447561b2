"""What several levels say together: a sum is news when somebody in particular made it so. Pure.

A project is the sum of what its users and keys spend. When a user is far above what is usual for
him, a project whose excess is about his need not be nearly as far above its own; and a project
whose excess is that of a user who does this all the time is no news at all.
"""

import polars as pl

from openai_costs.questions.series import ID, PRINCIPALS, level_of

WEAK = 3.0
"""The score from which a sum is news when somebody made it so; lower, all tell what one does."""
PER_DOUBLING = 0.5
"""Of twice as many culprits a day, one fits by chance twice as often: the score must be higher."""
ALIKE = (0.7, 1.4)
ORDINARY = 1.0
"""The score from which somebody's own spending explains the excess of a sum."""
AT_HOME = 0.5
"""A sum that is usually less than this share of what somebody usually spends is not where he does.

His habits do not explain what he does there."""
CERTAIN = 3.0
"""A sum this many times above the threshold is news whoever made it."""
COVERED = 0.8
VERDICTS = ("is_high", "is_stopped")

Hierarchy = pl.DataFrame | None


def across_levels(days: pl.DataFrame, hierarchy: Hierarchy = None) -> pl.DataFrame:
    """Return the days with is_high and is_stopped as the levels together see them.

    What rises slowly is left to each: who leaks is found before the sums that he is a part of.

    Args:
        days: series_id, day, cost, expected, score, sigmas, material_usd, is_material, is_high,
            is_stopped.
        hierarchy: child, parent: which sums a user or key is part of. Without it every sum of the
            day is a candidate, and must score higher the more principals are unusual that day.
    """
    told = days.filter(_speaks()).with_columns(
        is_who=level_of(pl.col(ID)).is_in(PRINCIPALS), excess=pl.col("cost") - pl.col("expected")
    )
    told = told.join(_covered(days), on="day", how="left", maintain_order="left")
    who, sums = told.filter("is_who"), told.filter(~pl.col("is_who"))
    for name, found in (
        ("_high", _made_high(sums, who, hierarchy)),
        ("_ordinary", _made_by_habit(sums, who, hierarchy)),
        ("_stopped", _made_to_stop(sums, who, hierarchy)),
    ):
        told = _marked(told, found, name)
    decided = told.select(
        ID,
        "day",
        is_high=_verdict(),
        is_stopped=pl.col("is_stopped") | pl.col("_stopped"),
    )
    rest = days.drop(VERDICTS)
    told = rest.join(decided, on=[ID, "day"], how="left", maintain_order="left")
    return told.with_columns(pl.col(VERDICTS).fill_null(value=False))


def _speaks() -> pl.Expr:
    """Days that matter to any of the levels: few of all."""
    score = pl.col("score")
    return (score > ORDINARY) | pl.col("is_high") | pl.col("is_stopped") | (score < -WEAK)


def _made_high(sums: pl.DataFrame, who: pl.DataFrame, hierarchy: Hierarchy) -> pl.DataFrame:
    """Sums above the usual by about what somebody far above his usual spent."""
    excess, score = pl.col("excess"), pl.col("score")
    weak = sums.filter((score > WEAK) & pl.col("is_material"))
    return _matched(_as(weak, excess, score), _as(who.filter("is_high"), excess, score), hierarchy)


def _made_by_habit(sums: pl.DataFrame, who: pl.DataFrame, hierarchy: Hierarchy) -> pl.DataFrame:
    """Sums far above the usual by about what somebody spent for whom that is not unusual."""
    excess, score = pl.col("excess"), pl.col("score")
    usual = who.filter(~pl.col("is_high") & (score > ORDINARY) & (excess > 0))
    high = sums.filter("is_high")
    return _matched(_as(high, excess, score), _as(usual, excess, score), hierarchy, WEAK, AT_HOME)


def _made_to_stop(sums: pl.DataFrame, who: pl.DataFrame, hierarchy: Hierarchy) -> pl.DataFrame:
    """Sums below the usual by about what somebody who stopped used to spend."""
    missing, score = -pl.col("excess"), pl.col("score")
    low = sums.filter((score < -WEAK) & (missing >= 2 * pl.col("material_usd")))
    return _matched(
        _as(low, missing, -score), _as(who.filter("is_stopped"), missing, score), hierarchy
    )


def _verdict() -> pl.Expr:
    limit = pl.when("_ordinary").then(CERTAIN * pl.col("sigmas")).otherwise("sigmas")
    alone = pl.col("is_high") & (pl.col("score") > limit)
    judged = pl.col("is_who") | ~pl.col("is_covered")
    return pl.col("_high") | pl.when(judged).then("is_high").otherwise(alone)


def _covered(days: pl.DataFrame) -> pl.DataFrame:
    """Days on which users and keys together are nearly all of the largest series."""
    who = pl.col("cost").filter(level_of(pl.col(ID)).is_in(PRINCIPALS)).sum()
    return days.group_by("day").agg(is_covered=who >= COVERED * pl.col("cost").max())


def _as(days: pl.DataFrame, dollars: pl.Expr, score: pl.Expr) -> pl.DataFrame:
    return days.select(ID, "day", "sigmas", "expected", dollars=dollars, said=score)


def _matched(
    sums: pl.DataFrame,
    who: pl.DataFrame,
    hierarchy: Hierarchy,
    weak: float | None = None,
    at_home: float = 0.0,
) -> pl.DataFrame:
    """Return series_id and day of sums whose dollars are about those of one of the others."""
    many = pl.len().over("day")
    theirs = who.select("day", child=ID, theirs="dollars", usual="expected", many=many)
    if hierarchy is None:
        pairs = sums.join(theirs, on="day")
        asked = (WEAK + PER_DOUBLING * pl.col("many").log(2)).clip(upper_bound=pl.col("sigmas"))
    else:
        pairs = sums.join(
            theirs.join(hierarchy, on="child"), left_on=["day", ID], right_on=["day", "parent"]
        )
        asked = pl.lit(WEAK)
    least, most = ALIKE
    share = pl.col("dollars") / pl.col("theirs")
    asked = asked if weak is None else pl.lit(weak)
    fits = share.is_between(least, most) & (pl.col("said") > asked)
    fits &= pl.col("expected") >= at_home * pl.col("usual")
    return pairs.filter(fits).select(ID, "day").unique()


def _marked(days: pl.DataFrame, found: pl.DataFrame, name: str) -> pl.DataFrame:
    marks = found.with_columns(pl.lit(True).alias(name))
    told = days.join(marks, on=[ID, "day"], how="left", maintain_order="left")
    return told.with_columns(pl.col(name).fill_null(value=False))
