"""What a kind of anomaly is: when it holds, how it is published, what its finding says. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from openai_costs.questions.rules import Rule

GAP_DAYS = 3
"""Flagged days at most this far apart are one episode: a weekend does not end it."""

LASTING_GAP_DAYS = 14
"""The same for rises that last: they go on after days below the threshold."""

NEXT_STEP = "Ask {owner} whether it is intended: if so, acknowledge it or mute it.{or_revoke}"
NEXT_STEPS = {
    "drop": "If it was not ended on purpose, something may be broken: inform {owner}.",
    "slow_leak": "Ask {owner} what accumulates: a job that reads everything again, or a prompt or "
    "conversation that only grows.{or_revoke}",
    "new_spender": "Check that {owner} expects it and that a budget covers it.{or_revoke}",
}
"""What to do about a kind; about any other, `NEXT_STEP`."""

Days = Sequence[dict[str, Any]]
"""The rows of mart.spend_anomalies of an incident, of the series that reports it, by day."""


@dataclass(frozen=True)
class Kind:
    """A kind of anomaly.

    Args:
        name: The kind's name in code; its rule is `anomalies.<name>`.
        published_as: The value of `kind` in mart.spend_anomalies.
        holds: Whether a flagged day is of this kind, from columns of the frame (frame.py).
        title: The title of its findings (questions/rules.py, `Rule`).
        sentence: What a finding says happened, in one or two sentences.
        lasts: Whether it is a rise that lasts rather than single days.
        goes_on: Whether the rest of the month is likely to be the same.
        may_recur: Whether it is taken back when the same jump recurs a month later.
        is_informational: Whether its findings are of severity `info`.
    """

    name: str
    published_as: str
    holds: pl.Expr
    title: str
    sentence: Callable[[Days], str]
    lasts: bool = False
    goes_on: bool = False
    may_recur: bool = False
    is_informational: bool = False

    @property
    def rule(self) -> Rule:
        """Return the rule of its findings."""
        return Rule(
            f"anomalies.{self.name}",
            title=self.title,
            next_step=NEXT_STEPS.get(self.name, NEXT_STEP),
            quiet_days=self.gap_days,
        )

    @property
    def gap_days(self) -> int:
        """Return how many days apart two flagged days of an episode may be."""
        return LASTING_GAP_DAYS if self.lasts else GAP_DAYS
