"""Pages that one connection read and that are kept in the folder of another.

A page never changes, so its manifest has the name that its connection had when it was read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from upath import UPath

from openai_costs.kernel.errors import PageRefused
from openai_costs.sources.account_refusals import REFUSED
from openai_costs.storage.packing import unpacked
from openai_costs.storage.read_names import SUFFIX

PARTS: Final = 6
"""Of `raw/<provider>/<connection>/<dataset>/<day>/<file>`."""


class Elsewhere(NamedTuple):
    """The pages that a connection read and that are kept as another's.

    Args:
        continued: Those of days that the other continues, by its name: they are its own.
        refused: Those that were set aside: they were of an account that the other counts.
    """

    continued: Mapping[str, Sequence[str]] = {}
    refused: Sequence[str] = ()

    def without_continued(self, places: Iterable[str]) -> list[str]:
        """Return the places that are none of the pages that another continues."""
        continued = {page for pages in self.continued.values() for page in pages}
        return [one for one in places if one not in continued]


def kept_elsewhere(home: UPath, name: str, places: Iterable[str]) -> Elsewhere:
    """Return which places of a connection are its pages in the folders of others.

    Args:
        home: The home.
        name: The connection.
        places: Where it is, below the home.
    """
    continued, refused = defaultdict[str, list[str]](list), list[str]()
    for page in places:
        parts = page.split("/")
        if parts[0] != "raw" or len(parts) != PARTS or not page.endswith(SUFFIX):
            continue
        _, _, other, dataset, _, _ = parts
        if other != name and _reader_of(home / page) == name:
            its = refused if dataset.endswith(REFUSED) else continued[other]
            its.append(page)
    return Elsewhere(continued, refused)


def _reader_of(page: UPath) -> str:
    """Return the connection that a page was read as; empty where the page is damaged."""
    try:
        return unpacked(page.read_bytes(), str(page))[0].connection
    except PageRefused:
        return ""
