"""Reads an organization's costs."""

from contextlib import closing

from openai_costs.kernel.days import DayRange
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.connection import connect
from openai_costs.sources.anthropic.costs.endpoints import ANALYTICS_COST, DATASET, Report
from openai_costs.sources.anthropic.costs.protocol import read_analytics, read_older
from openai_costs.sources.anthropic.paging import Query
from openai_costs.sources.anthropic.reader import LEDGER_NOTE, Dataset, Reader
from openai_costs.sources.provider import Reach


def probe(
    settings: Settings, connection: Connection, reach: Reach, day: DayRange, report: Report
) -> None:
    """Ask a report for one day without grouping: the smallest request that shows a right.

    Raises:
        ReadFailed: The request was refused or did not arrive.
        MissingKey: The connection has no key; nothing was sent.
    """
    get = Query(report, day).get()
    with closing(connect(settings, connection, reach)) as transport:
        transport.get(get.path, get.params)


class AnthropicCosts(Reader):
    """Reads the costs of Anthropic organizations."""

    dataset = Dataset(DATASET, LEDGER_NOTE, ANALYTICS_COST, read_analytics, read_older)
