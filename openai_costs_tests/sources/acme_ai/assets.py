"""Acme AI as a provider: costs only, no usage, no organization, no view by user, no total."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.diagnosis import call_diagnosis, key_diagnosis
from openai_costs.sources.provider import CostSource, Diagnosis, Provider, RawPages, Reach
from openai_costs_tests.sources.acme_ai.endpoints import ALLOWED, COSTS, ENTRIES, KEY, NAME
from openai_costs_tests.sources.acme_ai.frames import ledger
from openai_costs_tests.sources.acme_ai.protocol import get
from openai_costs_tests.sources.acme_ai.settings import AcmeConnection
from openai_costs_tests.sources.acme_ai.source import AcmeCosts, connect

WRONG_KEY = "does not look like a billing key (acme-billing-...): create one in the console."


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield whether there is a billing key, and whether yesterday can be read."""
    yesterday = today - ONE_DAY

    def ask() -> None:
        one = get(DayRange(yesterday, yesterday))
        with closing(connect(settings, connection, reach)) as transport:
            transport.get(one.path, one.params)

    yield key_diagnosis(settings, connection, KEY, "a billing key", WRONG_KEY)
    yield call_diagnosis(ENTRIES, str(yesterday), ask)


ACME_AI = Provider(
    name=NAME,
    connection=AcmeConnection,
    allowed=ALLOWED,
    costs=CostSource(
        pages=RawPages(
            provider=NAME,
            dataset=COSTS,
            description="Billing entries as Acme AI sent them, a day each.",
            group="sources/acme_ai",
            reader=AcmeCosts,
        ),
        ledger=ledger,
    ),
    diagnose=diagnose,
)
