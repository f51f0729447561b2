"""Which days readers do not have as they are stored, because no run made or published the rest.

One cause of many differences, which `verify` and `doctor` name in one sentence.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted, listed
from openai_costs.outputs.publish.publication_state import unpublished
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.questions.spend.verification import LAKE, RAW, Difference
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Slice

MOST_CONNECTIONS = 5


class Behind(NamedTuple):
    """Slices that are stored otherwise than they are published.

    Args:
        torn: Those whose newest kept page and tables are not all of one read of the provider.
        unpublished: Those that were written after the last publication, torn or not.
        unmade: Those that are kept and in no table.
    """

    torn: frozenset[Slice] = frozenset()
    unpublished: frozenset[Slice] = frozenset()
    unmade: frozenset[Slice] = frozenset()

    def with_torn(self, slices: Iterable[Slice]) -> "Behind":
        """Return the same with more slices that are not all of one read."""
        return self._replace(torn=self.torn.union(slices))

    def with_unmade(self, slices: Iterable[Slice]) -> "Behind":
        """Return the same with the slices of which no table is made."""
        return self._replace(unmade=frozenset(slices))

    def explains(self, one: Difference) -> bool:
        """Return whether that is why a sum differs."""
        is_of_readers = one.place not in {RAW, LAKE}
        return one.key in self.torn or (is_of_readers and one.key in self.unpublished)

    def sentences(self) -> Iterator[str]:
        """Yield which slices there are and what publishes them, in a sentence for each cause."""
        if self.torn:
            days = [one.day for one in self.torn]
            command = f"openai-costs backfill --offline --from {min(days)} --to {max(days)}"
            yield f"{torn_text(self.torn)} If no run is under way, run `{command}`."
        if rest := self.unpublished - self.torn:
            yield unpublished_text(rest)

    def texts(self, differences: Iterable[Difference]) -> Iterator[str]:
        """Yield what is in no table, and what explains differences, a sentence for each cause."""
        if self.unmade:
            yield unmade_text(self.unmade)
        explained = {one.key for one in differences if self.explains(one)}
        if torn := explained & self.torn:
            yield torn_text(torn)
        if rest := explained - self.torn:
            yield unpublished_text(rest)


def behind(home: UPath, lake: Lake) -> Behind:
    """Return which slices of a home's lake are stored otherwise than they are published."""
    try:
        torn = frozenset(Slice(*key) for key in slices_in_flight(lake))
        return Behind(torn, frozenset(unpublished(home, lake)))
    except StorageFailed:  # damage has sentences of its own, and explains what differs
        return Behind()


def torn_text(slices: Iterable[Slice]) -> str:
    """Return that days are stored in part, and what readers have of them."""
    return (
        f"The pages and tables of {_described(slices)} are not all of one read: the run that makes "
        "them is under way, or did not end well. Readers keep what was published of them before."
    )


def unmade_text(slices: Iterable[Slice]) -> str:
    """Return that days are kept, and that no number has them."""
    return (
        f"The pages of {_described(slices)} are kept, and no table is made of them: the run that "
        "makes them is under way, or did not end well. No published number has these days."
    )


def unpublished_text(slices: Iterable[Slice]) -> str:
    """Return that days are not published as they are stored, and what publishes them."""
    return (
        f"No run has published {_described(slices)} since they were stored. The job `publish` in "
        "Dagster does, and so does any `openai-costs backfill`."
    )


def _described(slices: Iterable[Slice]) -> str:
    found = sorted(slices)
    days, names = {one.day for one in found}, list(dict.fromkeys(one.connection for one in found))
    of_names = listed(names, MOST_CONNECTIONS, "connection")
    return f"{counted(len(days), 'day')} of {of_names} ({DayRange(min(days), max(days))})"
