"""A check of what a provider's kept pages say that no table has, for the folder of a provider.

Not here: the rules and their verdicts, which are the provider's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.checks import (
    ChecksBuilder,
    Rule,
    Verdict,
    evaluations,
    finished,
    run_days,
)
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import RawPages
from openai_costs.storage.archive import Archive

JudgePages = Callable[[Archive, Sequence[Connection], DayRange], Iterable[Verdict]]
"""Judges what is kept of the connections that a run asked, and of its days."""


def check_of_kept_pages(pages: RawPages, rule: Rule, judged: JudgePages) -> ChecksBuilder:
    """Return a check of raw pages: a function of the days to Dagster's check.

    Args:
        pages: The raw pages.
        rule: What the check promises; it has the name of the rule.
        judged: Gives its verdicts, after the reading of the run.
    """

    def evaluate(
        context: dg.AssetCheckExecutionContext,
        archive: dg.ResourceParam[Archive],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[Any]:
        """Judge what is kept."""
        ours = settings.asked_of(pages.provider)
        yield from evaluations(pages.key, judged(archive, ours, run_days(context)))
        yield from finished(pages.key, [rule])

    def build(days: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
        return dg.multi_asset_check(
            name=f"{pages.provider}_{rule.name}", specs=[rule.spec(pages.key, days)]
        )(evaluate)

    return build
