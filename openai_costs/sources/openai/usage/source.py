"""Reads an organisation's usage."""

from collections.abc import Generator
from datetime import date

from openai_costs.archive import Archive
from openai_costs.days import DayRange
from openai_costs.settings import Connection
from openai_costs.sources.openai.learned import Learned
from openai_costs.sources.openai.paging import Body, Get
from openai_costs.sources.openai.protocol import WindowRead
from openai_costs.sources.openai.reader import Reader
from openai_costs.sources.openai.start import first_day
from openai_costs.sources.openai.usage.endpoints import DATASET, OLDEST
from openai_costs.sources.openai.usage.protocol import read_window
from openai_costs.sources.openai.windows import Dataset, open_day

NOTE = "learned_usage"


def first_usage_day(archive: Archive, connection: Connection) -> date:
    """Return the first day there is usage for, as far as is known."""
    return first_day(archive, connection, NOTE)


def _talk(window: DayRange, _learned: Learned, today: date) -> Generator[Get, Body, WindowRead]:
    return read_window(window, open_day(window, today))


def _told(read: WindowRead) -> str:
    without = f" without {', '.join(read.absent)}" if read.absent else ""
    return f"read usage of {read.window}{without}"


class OpenAIUsage(Reader):
    """Reads what OpenAI organisations used."""

    dataset = Dataset(DATASET, NOTE, OLDEST, _talk, _told)
