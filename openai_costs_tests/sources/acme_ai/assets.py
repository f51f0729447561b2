"""Acme AI as a provider: costs only, no usage, no organization, no view by user, no total."""

from collections.abc import Iterator
from datetime import date

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.diagnosis import key_diagnosis, one_call
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.provider import CostSource, Diagnosis, Provider, RawPages, Reach, silent
from openai_costs_tests.sources.acme_ai.endpoints import ALLOWED, COSTS, KEY, NAME, VENDOR
from openai_costs_tests.sources.acme_ai.frames import ledger
from openai_costs_tests.sources.acme_ai.protocol import get
from openai_costs_tests.sources.acme_ai.settings import AcmeConnection
from openai_costs_tests.sources.acme_ai.source import AcmeCosts

WRONG_KEY = "does not look like a billing key (acme-billing-...): create one in the console."


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield whether there is a billing key, and whether yesterday can be read."""
    yesterday = today - ONE_DAY
    yield key_diagnosis(settings, connection, KEY, "a billing key", WRONG_KEY)
    transport = transport_to(VENDOR, settings, connection, reach, silent)
    yield one_call(transport, get(DayRange(yesterday, yesterday)), str(yesterday))


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
    invoicers=(Invoicer(NAME, "Acme AI", "Zephyr models"),),
)
