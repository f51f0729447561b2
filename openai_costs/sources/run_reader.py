"""What every reader of a run is made from. Not here: reading (a provider's folder)."""

from dataclasses import dataclass, field

from openai_costs.kernel.days import Clock
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive


@dataclass(frozen=True)
class RunReader:
    """The beginning of a reader: a provider adds `read` (`sources.provider.DayReader`).

    Args:
        settings: All settings: a key is read from them when a request leaves.
        archive: Where reads and notes are kept.
        clock: This machine's; which instant is believed is decided where a read is kept.
        reach: How requests get out, and what responses say about the time.
    """

    settings: Settings
    archive: Archive
    clock: Clock
    reach: Reach = field(default_factory=Reach)
