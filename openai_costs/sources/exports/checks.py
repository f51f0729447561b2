"""The check of what settings leave out: charges for AI that no row of the ledger has."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.checks import WARN, ChecksBuilder, Rule, Verdict
from openai_costs.orchestration.verdict_scope import Scope
from openai_costs.settings.connection import Connection
from openai_costs.sources.exports.evidence import LEFT_OUT, LeftOut
from openai_costs.sources.exports.kept_parts import charges_left_out
from openai_costs.sources.kept_page_checks import check_of_kept_pages
from openai_costs.sources.provider import RawPages
from openai_costs.storage.archive import Archive, KeptRead

AI_TAKEN = Rule(
    "ai_taken", "Every charge that the export calls AI and machine learning is in the ledger.", WARN
)


def left_out_checks(pages: RawPages) -> ChecksBuilder:
    """Return the check of a provider's exports: a function of the days to Dagster's check.

    Args:
        pages: The raw pages of the exports.
    """

    def judged(
        archive: Archive, connections: Sequence[Connection], days: DayRange
    ) -> Iterator[Verdict]:
        found = left_out(pages, archive, connections, days)
        return map(verdict, found, found.values())

    return check_of_kept_pages(pages, AI_TAKEN, judged)


def left_out(
    pages: RawPages, archive: Archive, connections: Iterable[Connection], days: DayRange
) -> Mapping[date, Mapping[str, Sequence[LeftOut]]]:
    """Return what the newest read of each day leaves out, by day and connection."""
    found: dict[date, dict[str, Sequence[LeftOut]]] = defaultdict(dict)
    for one in connections:
        for read in pages.newest(archive, one, days):
            if isinstance(read, KeptRead) and LEFT_OUT in read.bodies:
                its = charges_left_out(read.bodies[LEFT_OUT], read.page_of(LEFT_OUT))
                found[read.manifest.day][one.name] = its
    return found


def verdict(day: date, its: Mapping[str, Sequence[LeftOut]]) -> Verdict:
    """Judge what each connection leaves out of a day."""
    texts = {
        name: f'{name} leaves out {described(found)}: select = "all" takes every row'
        for name, found in its.items()
        if found
    }
    because = ". ".join(texts.values()) or AI_TAKEN.promise
    return Verdict(AI_TAKEN, day, not texts, because, scope=Scope([*its], texts))


def described(charges: Iterable[LeftOut]) -> str:
    """Return services with their amounts, the largest first."""
    largest = sorted(charges, key=lambda one: -abs(Decimal(one.billed)))
    return ", ".join(
        f"{one.service} ({Decimal(one.billed):,.2f} {one.currency})" for one in largest
    )
