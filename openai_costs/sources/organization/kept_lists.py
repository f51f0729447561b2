"""What all kept reads of organizations list, for the time of one run.

Eight tables are folded from the same reads: each read is opened once for all of them, and not once
for each. Not here: what a read lists (frames.py), which reads there are (storage/archive.py).
"""

from collections.abc import Mapping

from openai_costs.sources.organization.frames import Usable, usable
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.sources.provider import OrganizationSource
from openai_costs.storage.archive import Archive
from openai_costs.tables.entity import Known


class KeptLists:
    """What the kept reads of connections list; the reads of a later run are not known to it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known: dict[tuple[str, str], Mapping[type[Known], Usable]] = {}

    def connections(self, provider: str) -> list[str]:
        """Return the connections of a provider that anything is kept of."""
        return self._archive.connections(provider)

    def of(self, source: OrganizationSource, connection: str) -> Mapping[type[Known], Usable]:
        """Return what can be used of all kept reads of a connection, by table."""
        key = (source.pages.provider, connection)
        if key not in self._known:
            reads = source.pages.every(self._archive, connection)
            self._known[key] = usable(KINDS, source.listing, reads)
        return self._known[key]
