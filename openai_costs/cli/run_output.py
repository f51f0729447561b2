"""How a headless run ended: stopped, failed, or with checks that object.

Not here: the lines while it runs (progress.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

import dagster as dg

from openai_costs.cli.faults import distinct, of_step
from openai_costs.cli.progress import step_title
from openai_costs.cli.streams import STOPPED
from openai_costs.kernel.days import consecutive
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.orchestration.checks import CONTRACT, CURRENCY
from openai_costs.orchestration.verdict_scope import Scope
from openai_costs.sources import registry
from openai_costs.sources.page_checks import READ_COMPLETE


class Stopped(OpenAICostsError):  # noqa: N818 - it is not an error
    """Ctrl-C, or a signal that means the same; nothing is lost."""

    exit_code = STOPPED

    def __init__(self) -> None:
        super().__init__(
            "Stopped. Completed days are saved, and readers have the last publication. "
            "Run the command again to continue."
        )


class RunFailedError(OpenAICostsError):
    """A headless run failed.

    Args:
        reasons: A sentence for each step that failed.
    """

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = list(reasons)
        super().__init__(" ".join(distinct(self.reasons)))


@contextmanager
def noted(failed: list[str]) -> Iterator[None]:
    """Note a failed run, and go on: what does not depend on it is still made."""
    try:
        yield
    except RunFailedError as failure:
        failed.extend(failure.reasons)


# The check summary of a headless run: collected over its runs, printed at the end. Without the
# Dagster UI it would not be seen. Not here: the checks (orchestration/checks.py and each folder).

MOST_SENTENCES = 3
"""Of a check with another sentence for every day of a year, the newest days are printed."""

MOST_REFUSED = 5
"""Sentences of one message; the lines before it have them all."""

WHAT_TO_DO = "docs/operations.md#checks explains each check and what to do."

Result = tuple[str, str, str, str]
"""A result: the check's asset, its name, its severity, and the sentence."""


@dataclass
class Objections:
    """The newest result of each check on each day and connection, where it did not pass.

    Args:
        results: By asset, check, day and connection; of what is judged for all there are, by none.
    """

    results: dict[tuple[str, str, str, str], dg.AssetCheckEvaluation] = field(default_factory=dict)

    def note(self, verdicts: Iterable[dg.AssetCheckEvaluation]) -> None:
        """Take the check results of a run; it takes back nothing of connections not looked at."""
        for one in verdicts:
            asset, day, scope = one.asset_key.to_user_string(), one.partition or "", Scope.of(one)
            for name in scope.connections or [""]:
                key = (asset, one.check_name, day, name)
                self.results.pop(key, None)
                if not one.passed and name in (scope.failures or [name]):
                    self.results[key] = one

    def refused(self) -> list[str]:
        """Return why days were left unchanged; empty when every day was written."""
        rules = {CONTRACT.name, CURRENCY.name}
        texts = (one.description or "" for one in self.results.values() if one.check_name in rules)
        return sorted(set(texts))

    def unread(self) -> list[str]:
        """Return why the bill of a connection could not be read; empty when every one was."""
        bills = {one.costs.pages.key.to_user_string() for one in registry.PROVIDERS}
        texts = (
            one.description or ""
            for (asset, check, *_), one in self.results.items()
            if check == READ_COMPLETE.name and asset in bills
        )
        return sorted(set(texts))

    def failures(self, known: Sequence[str]) -> list[str]:
        """Return what was published only in part, in sentences.

        Args:
            known: Why runs failed, which is not repeated.
        """
        unread = [one for one in self.unread() if one not in " ".join(known)]
        in_part = (("connection was read", unread), ("day", self.refused()))
        return [
            f"Published, but not every {what}: {' '.join(texts[:MOST_REFUSED])}"
            for what, texts in in_part
            if texts
        ]

    def lines(self) -> Iterator[str]:
        """Yield a line per check and sentence, with its days."""
        days_of: dict[Result, set[str]] = {}
        for one in self.results.values():
            days_of.setdefault(_result(one), set()).add(one.partition or "")
        for _, group in groupby(sorted(days_of), key=lambda result: result[:2]):
            newest = sorted(group, key=lambda result: max(days_of[result]), reverse=True)
            yield from (_line(result, days_of[result]) for result in newest[:MOST_SENTENCES])
            if rest := newest[MOST_SENTENCES:]:
                yield _line(
                    (*rest[0][:3], "more of the same"),
                    {day for result in rest for day in days_of[result]},
                )
        if days_of:
            yield WHAT_TO_DO


def _result(one: dg.AssetCheckEvaluation) -> Result:
    text = one.description or "did not pass"
    return (one.asset_key.to_user_string(), one.check_name, one.severity.value, text)


def _line(result: Result, days: set[str]) -> str:
    asset, check, severity, text = result
    ranges = consecutive(date.fromisoformat(day) for day in days if day)
    of = f" of {', '.join(map(str, ranges))}" if ranges else ""
    return f"{severity:<5} {asset} {check}{of}: {text}"


def is_interrupt(event: dg.DagsterEvent) -> bool:
    """Return whether a step ended because of a signal, by Dagster's handler."""
    if event.event_type is not dg.DagsterEventType.STEP_FAILURE:
        return False
    error = event.step_failure_data.error
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__


def reasons(events: Iterable[dg.DagsterEvent]) -> Iterator[str]:
    """Yield why the steps of a run failed, or the run itself, a sentence for each."""
    for event in events:
        if event.event_type is dg.DagsterEventType.RUN_FAILURE:
            ended = event.job_failure_data  # where a step failed, its error is the run's too
            if ended.error and ended.first_step_failure_event is None:
                yield of_step("The run", ended.error)
        elif event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            failure = event.step_failure_data.user_failure_data
            title = step_title(event.step_key)
            described = failure.description if failure else None
            yield described or (of_step(title, error) if error else f"{title} failed.")
