"""What checks object to in a headless run: collected over its runs, and told in lines at the end.

Without the Dagster UI nobody would see them. Not here: the checks (checks.py and each folder).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

import dagster as dg

from openai_costs.checks import CONTRACT, CURRENCY
from openai_costs.days import consecutive

MOST_SENTENCES = 3
"""A check that says something else of every day of a year is told by its newest days."""

WHAT_TO_DO = "What each means, and what to do: docs/operations.md#checks."

Found = tuple[str, str, str, str]
"""What was found: the check's asset, its name, how bad it is, and the sentence."""


@dataclass
class Objections:
    """The newest verdict of each check on each day, where it is not a good one.

    Args:
        found: By asset, check, day and the connections asked.
    """

    found: dict[tuple[str, str, str, str], dg.AssetCheckEvaluation] = field(default_factory=dict)

    def note(self, verdicts: Iterable[dg.AssetCheckEvaluation], asked: str) -> None:
        """Take the verdicts of a run.

        Args:
            verdicts: What its checks said.
            asked: The connections it asked; pages, and days of a core table, are judged for these
                alone, everything else for all there are.
        """
        for one in verdicts:
            asset, day = one.asset_key.to_user_string(), one.partition or ""
            key = (asset, one.check_name, day, asked if _is_per_connection(one) else "")
            self.found.pop(key, None)
            if not one.passed:
                self.found[key] = one

    def refused(self) -> list[str]:
        """Return why days were left as they were; empty when every day was written."""
        rules = {CONTRACT.name, CURRENCY.name}
        said = (one.description or "" for one in self.found.values() if one.check_name in rules)
        return sorted(set(said))

    def lines(self) -> Iterator[str]:
        """Yield a line per check and sentence, with the days it is said of."""
        said: dict[Found, set[str]] = {}
        for one in self.found.values():
            said.setdefault(_found(one), set()).add(one.partition or "")
        for _, group in groupby(sorted(said), key=lambda found: found[:2]):
            newest = sorted(group, key=lambda found: max(said[found]), reverse=True)
            yield from (_line(found, said[found]) for found in newest[:MOST_SENTENCES])
            if rest := newest[MOST_SENTENCES:]:
                yield _line(
                    (*rest[0][:3], "more of the same"),
                    {day for found in rest for day in said[found]},
                )
        if said:
            yield WHAT_TO_DO


def _is_per_connection(one: dg.AssetCheckEvaluation) -> bool:
    layer = one.asset_key.path[0]
    return layer == "raw" or (layer == "core" and one.partition is not None)


def _found(one: dg.AssetCheckEvaluation) -> Found:
    said = one.description or "did not pass"
    return (one.asset_key.to_user_string(), one.check_name, one.severity.value, said)


def _line(found: Found, days: set[str]) -> str:
    asset, check, severity, said = found
    ranges = consecutive(date.fromisoformat(day) for day in days if day)
    of = f" of {', '.join(map(str, ranges))}" if ranges else ""
    return f"{severity:<5} {asset} {check}{of}: {said}"
