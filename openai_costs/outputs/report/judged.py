"""What was looked for where nothing was found: no data is never "no finding". Pure.

The page, the digest and the commands use the same sentences. Not here: what was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.kernel.formatting import listed
from openai_costs.questions.coverage import newest_settled, of_costs

if TYPE_CHECKING:
    import polars as pl

BY_DIRECTORY: Final = ("left", "unmatched", "alias", "matched")
"""The states of a seat that only a company directory can give."""

_MOST_NAMED: Final = 5


class Judged(NamedTuple):
    """What was judged.

    Args:
        is_settled: Whether any day has settled: days before they settle are never judged.
        is_judged: Whether findings were judged at all: a first backfill does it at its end.
        waiting: The connections without a settled day, if others have some.
        found_in: What was looked at.
        not_looked_for: What is not set up, or was set up and could not be used.
    """

    is_settled: bool
    is_judged: bool
    waiting: tuple[str, ...]
    found_in: tuple[str, ...]
    not_looked_for: tuple[str, ...]

    @property
    def no_finding(self) -> str:
        """What to say where no finding is open."""
        if not self.is_settled:
            return "No finding is open: no day has settled yet, so nothing was judged."
        if not self.is_judged:
            return "Nothing was judged yet: a backfill does that once it has read everything."
        text = f"No finding is open. Looked for: {', '.join(self.found_in)}."
        if self.not_looked_for:
            names = ", ".join(self.not_looked_for)
            text += f" Not looked for, because it is not set up or could not be used: {names}."
        if self.waiting:
            names = listed(self.waiting, _MOST_NAMED, "connection")
            text += f" Not judged, because no day has settled yet: {names}."
        return text

    @property
    def no_saving(self) -> str:
        """What to say where no saving was measured."""
        if not self.is_settled:
            return "No day has settled yet, so no saving could be measured."
        return "No saving was measured in the last 30 settled days."

    @property
    def no_idle_seat(self) -> str:
        """What to add where seats are listed and none could be called idle."""
        return "" if self.is_settled else " No day has settled yet, so none is called idle."

    @property
    def no_restatement(self) -> str:
        """What to say where no settled day was restated."""
        if not self.is_settled:
            return "No day has settled yet, so none could be restated."
        return "No settled day that was read again had changed."


def what_was_judged(
    coverage: pl.DataFrame,
    budgets: pl.DataFrame,
    gateway: pl.DataFrame,
    seats: pl.DataFrame,
    *,
    is_judged: bool = True,
) -> Judged:
    """Return what was judged.

    Args:
        coverage: mart.coverage.
        budgets: mart.budget_status.
        gateway: mart.gateway_capture.
        seats: mart.seats.
        is_judged: Whether mart.findings was ever made.
    """
    settled = set(newest_settled(coverage)["connection"])
    waiting = sorted(set(of_costs(coverage)["connection"]) - settled)
    parts = {
        "unusual spend": True,
        "budgets": not budgets.is_empty(),
        "keys that bypass the gateway": not gateway.is_empty(),
        "people who left": bool(seats["status"].is_in(BY_DIRECTORY).any()),
    }
    return Judged(
        is_settled=bool(settled),
        is_judged=is_judged,
        waiting=tuple(waiting) if settled else (),
        found_in=tuple(name for name, is_known in parts.items() if is_known),
        not_looked_for=tuple(name for name, is_known in parts.items() if not is_known),
    )
