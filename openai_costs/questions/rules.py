"""What a question and the findings agree on: rules, and candidates that keep their contract.

A question declares a `Question`; `outputs/alerts/rules.py` lists them. Not here: what becomes of a
candidate (outputs/alerts/lifecycle.py), who gets a message (outputs/alerts/delivery_queue.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from openai_costs.settings import ABOUT_DATA
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract


@dataclass(frozen=True)
class Rule:
    """A rule that findings come from.

    Args:
        id: folder.rule.
        quiet_days: Judged days without the condition after which a finding is over; 0 when one
            evaluation without it is enough.
        reports_end: Whether its end is a message; not where something else takes its place.
        page: The page of the documentation that has a section about it.
    """

    id: str
    quiet_days: int = 2
    reports_end: bool = True
    page: str = "docs/alerts.md"

    @property
    def docs(self) -> str:
        """Return the section of the documentation."""
        return f"{self.page}#{self.id.replace('.', '-')}"

    @property
    def is_about_data(self) -> bool:
        """Return whether it judges data, not spend."""
        return self.id.startswith(ABOUT_DATA)


@dataclass(frozen=True)
class Facts:
    """What a question may know besides the lake.

    Args:
        settings: The settings.
        now: The current instant.
    """

    settings: Settings
    now: datetime

    @property
    def today(self) -> date:
        """Return the current UTC day."""
        return self.now.date()


Ask = Callable[[Lake, Facts], pl.DataFrame]
Until = Callable[[Lake, Facts], date]


def without_end(_lake: Lake, _facts: Facts) -> date:
    """Return no last day: most questions can judge every day that their tables have."""
    return date.max


@dataclass(frozen=True)
class Question:
    """What a question hands over.

    Args:
        rules: Its rules.
        reads: The tables it looks at. Where they are daily, only days that each of them has are
            judged: a table that was not made yet closes nothing.
        ask: Returns candidates (tables/candidate.py): the incidents known from these tables, over
            or not. Asking twice gives the same rows.
        judges_until: Returns the last day it can judge: what explains the spend (a gateway, a list
            of people) may be older than the spend, or not to be believed. Days after it open and
            close nothing; `date.min` judges none.
    """

    rules: tuple[Rule, ...]
    reads: tuple[type[Contract], ...]
    ask: Ask
    judges_until: Until = without_end
