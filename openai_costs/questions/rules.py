"""What a question declares so that its candidates become findings: its rules, tables and function.

A question declares a `Question`; `outputs/alerts/rules.py` lists them. Not here: the life cycle of
a finding (outputs/alerts/lifecycle.py), who receives a message (outputs/alerts/delivery_queue.py).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from openai_costs.questions.namesakes import Marks
from openai_costs.settings import ABOUT_DATA
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract


@dataclass(frozen=True)
class Rule:
    """A rule that findings come from.

    Args:
        id: folder.rule.
        title: The sentence that a finding is known by, in the past tense so that it also holds when
            the finding is closed. Placeholders: {who} (kind and name), {name}, {connection}, {usd}
            (dollars at stake, without a sign), {observed}, {threshold}, {percent} (of a limit),
            {since}, {day}, {when} ("on DAY", or "from DAY to DAY"), {period} (the same, of the
            period in the subject id), {outlook} (what is forecast, with its range).
        title_without_usd: The same where no dollars are at stake; empty where `title` holds too.
        span: The days that `observed` is the sum of, with the same placeholders; empty when the
            message leaves `observed` out.
        window_days: How many days through {day} the dollars are of; 0 where they are of all days
            since {since}, or of the period in the subject id.
        is_after_since: Whether the dollars begin on the day after {since}, within that window.
        compared: What `expected` is, as the word behind it: `against $13.00 metered`.
        quiet_days: Judged days without the condition after which a finding is closed; 0 when one
            evaluation without it is enough.
        next_step: What to do next, with the same placeholders, {owner}, and {or_revoke} (names the
            API key to revoke, where the finding is about one); empty where the reason ends with it.
        reports_end: Whether its end is a message; not where something else takes its place.
        replaced_by: The rule whose finding about the same subject takes its place: its end is not a
            message then. Empty where there is none.
        reports_return: Whether it is a message that it holds again after it had ended.
        page: The page of the documentation that has a section about it.
    """

    id: str
    title: str = "{who}: {usd} at stake {when}"
    title_without_usd: str = ""
    span: str = "on {day}"
    window_days: int = 0
    is_after_since: bool = False
    compared: str = "expected"
    next_step: str = ""
    quiet_days: int = 2
    reports_end: bool = True
    replaced_by: str = ""
    reports_return: bool = True
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
    """What a question may use besides the lake.

    Args:
        settings: The settings.
        now: The current instant.
        marks: What distinguishes namesakes.
    """

    settings: Settings
    now: datetime
    marks: Marks = field(default_factory=dict)

    @property
    def today(self) -> date:
        """Return the current UTC day."""
        return self.now.date()


Ask = Callable[[Lake, Facts], pl.DataFrame]
Until = Callable[[Lake, Facts], date]


def without_end(_lake: Lake, _facts: Facts) -> date:
    """Return no last day: most questions can judge every day that their tables hold."""
    return date.max


def without_holes(_lake: Lake, _facts: Facts) -> Mapping[str, Collection[date]]:
    """Return no day of any connection: most questions judge every settled day."""
    return {}


def without_beginning(_lake: Lake, _facts: Facts) -> date:
    """Return no first day: most questions look at every day that their tables hold."""
    return date.min


@dataclass(frozen=True)
class Question:
    """A question that findings come from.

    Args:
        rules: Its rules.
        reads: The tables it reads. Where they are daily, only days that all of them hold are
            judged: a table that has not been computed yet closes nothing.
        ask: Returns candidates (tables/candidate.py): the incidents in these tables, past and
            present. Asking twice returns the same rows.
        judges_until: Returns the last day it can judge: what explains the spend (a gateway, a list
            of people) may be older than the spend, or unreliable. Later days neither open nor close
            anything; `date.min` judges none.
        judges_since: Returns the first day it looks at: of an earlier one it has no candidate,
            whether the condition held or not.
        judges_none: Returns the settled days, by connection, that it does not judge.
    """

    rules: tuple[Rule, ...]
    reads: tuple[type[Contract], ...]
    ask: Ask
    judges_until: Until = without_end
    judges_since: Until = without_beginning
    judges_none: Callable[[Lake, Facts], Mapping[str, Collection[date]]] = without_holes
