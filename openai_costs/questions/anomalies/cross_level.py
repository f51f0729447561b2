"""What several levels show together: a sum is unusual when a principal made it so. Pure.

A principal is what spends, a user or a key; a project, a model or the organization is a sum. When a
user is far above expected, a project whose excess is about the user's need not be nearly as far
above its own. And a project is not flagged if its excess comes from a user who often spends so.
"""

import polars as pl

from openai_costs.questions.anomalies.frame import OF_A_DAY
from openai_costs.questions.anomalies.kinds import LASTING
from openai_costs.questions.series import ID, PRINCIPALS

WEAK = 3.2
"""The score from which a sum is flagged when a principal made it so."""
PER_DOUBLING = 0.5
"""Of twice as many principals, one fits by chance twice as often: the score must be higher."""
ALIKE = (0.7, 1.4)
ORDINARY = 1.0
"""The score from which a principal's ordinary spending explains the excess of a sum."""
AT_HOME = 0.5
"""A sum that usually costs less than this share of what a principal usually costs is not where it
usually spends, so its habits do not explain the sum."""
CERTAIN = 3.0
"""A sum this many times above the threshold is flagged whoever made it so."""
COVERED = 0.8
BY_ITSELF = 1.8
"""Where users and keys are nearly all of the spend, a sum that none of them explains must be this
many times above the threshold: small excesses of many that add up are mostly chance."""
OF_ONE, OF_ONE_THAT_LASTS = (0.5, 1.5), (0.25, 6.0)
"""An excess of a sum within these multiples of a flagged principal's is the principal's. Rises that
last begin on different days and from different levels, so they are compared loosely."""
VERDICTS = ("is_high", "is_stopped")

Hierarchy = pl.DataFrame | None


def across_levels(days: pl.DataFrame, hierarchy: Hierarchy = None) -> pl.DataFrame:
    """Return the days with is_high and is_stopped as the levels together show them.

    A slow rise is left to each series, for a principal is flagged before the sums that it is part
    of; that of a sum must be more certain. A tenfold day is flagged in any case.

    Args:
        days: group, series_id, day, cost, expected, score, lasting, sigmas, material_usd,
            is_material, is_high, is_lasting, is_tenfold, is_stopped.
        hierarchy: child, parent: which sums a user or key is part of. Without it every sum of the
            day is a candidate, and must score higher the more principals are unusual that day.
    """
    days = days.join(_covered(days), on=OF_A_DAY, how="left", maintain_order="left")
    candidates = days.filter(_is_candidate()).with_columns(
        is_principal=pl.col("series_level").is_in(PRINCIPALS),
        excess=pl.col("cost") - pl.col("expected"),
    )
    principals = candidates.filter("is_principal")
    sums = candidates.filter(~pl.col("is_principal"))
    for name, found in (
        ("_high", _made_high(sums, principals, hierarchy)),
        ("_ordinary", _made_by_habit(sums, principals, hierarchy)),
        ("_stopped", _made_to_stop(sums, principals, hierarchy)),
    ):
        candidates = _marked(candidates, found, name)
    decided = candidates.select(
        ID,
        "day",
        is_high=_verdict(),
        is_stopped=pl.col("is_stopped") | pl.col("_stopped"),
    )
    rest = days.with_columns(is_lasting=_lasts()).drop(*VERDICTS, "is_covered")
    judged = rest.join(decided, on=[ID, "day"], how="left", maintain_order="left")
    return judged.with_columns(pl.col(VERDICTS).fill_null(value=False))


def with_explained(days: pl.DataFrame, hierarchy: Hierarchy = None) -> pl.DataFrame:
    """Add is_explained: a sum rose by about what a flagged principal rose by on that day.

    The principal reports the incident; the sum saw the same dollars. A tenfold day is never
    explained, and a drop is not either: whether all of a project stopped is news of its own.

    Args:
        days: group, series_id, day, cost, expected, kind, direction, is_anomaly, is_tenfold.
        hierarchy: child, parent; without it every principal may be part of every sum.
    """
    risen = days.filter(pl.col("is_anomaly") & (pl.col("direction") == "up")).with_columns(
        excess=pl.col("cost") - pl.col("expected")
    )
    is_principal = pl.col("series_level").is_in(PRINCIPALS)
    sums = risen.filter(~is_principal & ~pl.col("is_tenfold"))
    theirs = risen.filter(is_principal).select(*OF_A_DAY, child=ID, theirs="excess")
    pairs = sums.join(theirs, on=OF_A_DAY)
    if hierarchy is not None:
        pairs = pairs.join(hierarchy, left_on=["child", ID], right_on=["child", "parent"])
    share, lasts = pl.col("excess") / pl.col("theirs"), pl.col("kind").is_in(LASTING)
    is_theirs = (lasts & share.is_between(*OF_ONE_THAT_LASTS)) | share.is_between(*OF_ONE)
    return _marked(days, pairs.filter(is_theirs).select(ID, "day").unique(), "is_explained")


def _is_candidate() -> pl.Expr:
    """Days that matter to any of the levels: few of all."""
    score = pl.col("score")
    flagged = pl.col("is_high") | pl.col("is_stopped") | pl.col("is_tenfold")
    return flagged | (score > ORDINARY) | (score < -WEAK)


def _made_high(sums: pl.DataFrame, principals: pl.DataFrame, hierarchy: Hierarchy) -> pl.DataFrame:
    """Sums above the expected by about what a principal far above its own spent."""
    excess, score = pl.col("excess"), pl.col("score")
    weak = sums.filter((score > WEAK) & pl.col("is_material"))
    return _matched(
        _as(weak, excess, score), _as(principals.filter("is_high"), excess, score), hierarchy
    )


def _made_by_habit(
    sums: pl.DataFrame, principals: pl.DataFrame, hierarchy: Hierarchy
) -> pl.DataFrame:
    """Sums far above the expected by about what a principal spent that often does."""
    excess, score = pl.col("excess"), pl.col("score")
    ordinary = principals.filter(~pl.col("is_high") & (score > ORDINARY) & (excess > 0))
    high = sums.filter("is_high")
    return _matched(
        _as(high, excess, score), _as(ordinary, excess, score), hierarchy, WEAK, AT_HOME
    )


def _made_to_stop(
    sums: pl.DataFrame, principals: pl.DataFrame, hierarchy: Hierarchy
) -> pl.DataFrame:
    """Sums below the expected by about what a principal that stopped used to spend."""
    missing, score = -pl.col("excess"), pl.col("score")
    low = sums.filter((score < -WEAK) & (missing >= 2 * pl.col("material_usd")))
    return _matched(
        _as(low, missing, -score), _as(principals.filter("is_stopped"), missing, score), hierarchy
    )


def _verdict() -> pl.Expr:
    by_itself = pl.col("is_principal") | ~pl.col("is_covered")
    limit = (
        pl.when("_ordinary")
        .then(CERTAIN * pl.col("sigmas"))
        .otherwise(BY_ITSELF * pl.col("sigmas"))
    )
    is_certain = pl.col("is_tenfold") & pl.col("is_material")
    return (
        pl.col("_high") | (pl.col("is_high") & (by_itself | (pl.col("score") > limit))) | is_certain
    )


def _lasts() -> pl.Expr:
    """A slow rise of a sum whose principals are known must be as certain as a spike of it."""
    by_itself = pl.col("series_level").is_in(PRINCIPALS) | ~pl.col("is_covered")
    is_certain = (pl.col("lasting") > BY_ITSELF * pl.col("sigmas")).fill_null(value=False)
    return pl.col("is_lasting") & (by_itself | is_certain)


def _covered(days: pl.DataFrame) -> pl.DataFrame:
    """Days on which users and keys together are nearly all of the largest series."""
    principals = pl.col("cost").filter(pl.col("series_level").is_in(PRINCIPALS)).sum()
    return days.group_by(OF_A_DAY).agg(is_covered=principals >= COVERED * pl.col("cost").max())


def _as(days: pl.DataFrame, dollars: pl.Expr, score: pl.Expr) -> pl.DataFrame:
    return days.select(ID, *OF_A_DAY, "sigmas", "expected", dollars=dollars, own=score)


def _matched(
    sums: pl.DataFrame,
    principals: pl.DataFrame,
    hierarchy: Hierarchy,
    weak: float | None = None,
    at_home: float = 0.0,
) -> pl.DataFrame:
    """Return series_id and day of sums whose dollars are about those of a principal."""
    many = pl.len().over(OF_A_DAY)
    theirs = principals.select(*OF_A_DAY, child=ID, theirs="dollars", usual="expected", many=many)
    if hierarchy is None:
        pairs = sums.join(theirs, on=OF_A_DAY)
        least_score = (WEAK + PER_DOUBLING * pl.col("many").log(2)).clip(
            upper_bound=pl.col("sigmas")
        )
    else:
        pairs = sums.join(
            theirs.join(hierarchy, on="child"),
            left_on=[*OF_A_DAY, ID],
            right_on=[*OF_A_DAY, "parent"],
        )
        least_score = pl.lit(WEAK)
    least, most = ALIKE
    share = pl.col("dollars") / pl.col("theirs")
    least_score = least_score if weak is None else pl.lit(weak)
    fits = share.is_between(least, most) & (pl.col("own") > least_score)
    fits &= pl.col("expected") >= at_home * pl.col("usual")
    return pairs.filter(fits).select(ID, "day").unique()


def _marked(days: pl.DataFrame, chosen: pl.DataFrame, name: str) -> pl.DataFrame:
    marks = chosen.with_columns(pl.lit(True).alias(name))
    marked = days.join(marks, on=[ID, "day"], how="left", maintain_order="left")
    return marked.with_columns(pl.col(name).fill_null(value=False))
