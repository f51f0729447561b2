"""The kinds of anomalies. A new one is a file in this folder and an entry in `KINDS`. Pure."""

import polars as pl

from openai_costs.questions.anomalies.kinds import (
    awake_at_the_weekend,
    drop,
    level_shift,
    new_spender,
    slow_leak,
    spike,
)
from openai_costs.questions.anomalies.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    drop.KIND,
    new_spender.KIND,
    awake_at_the_weekend.KIND,
    spike.KIND,
    level_shift.KIND,
    slow_leak.KIND,
)
"""A flagged day is of the first kind that holds."""

_BY_NAME = {kind.name: kind for kind in KINDS}
_BY_PUBLISHED = {kind.published_as: kind for kind in KINDS}

LASTING = tuple(kind.name for kind in KINDS if kind.lasts)
"""The names of kinds that last."""

MAY_RECUR = tuple(kind.name for kind in KINDS if kind.may_recur)
"""The names of kinds that a monthly recurrence takes back."""


def kind_of_day() -> pl.Expr:
    """Return the name of a day's kind; null where none holds."""
    return pl.coalesce([pl.when(kind.holds).then(pl.lit(kind.name)) for kind in KINDS])


def by_name(name: str) -> Kind:
    """Return the kind of that name."""
    return _BY_NAME[name]


def by_published(value: str) -> Kind:
    """Return the kind that mart.spend_anomalies publishes as that value."""
    return _BY_PUBLISHED[value]
