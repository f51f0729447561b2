"""What the doctor reports of a Bedrock connection: its files, or what Cost Explorer costs.

A request to Cost Explorer costs money, so the doctor sends none.
"""

from collections.abc import Iterator
from datetime import date

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.bedrock.cost_explorer import ACTION, MOST_REQUESTS, USD_PER_REQUEST
from openai_costs.sources.bedrock.rules import rules
from openai_costs.sources.bedrock.settings import BedrockConnection
from openai_costs.sources.bedrock.source import client
from openai_costs.sources.exports import diagnosis
from openai_costs.sources.provider import Diagnosis, Reach

PRICE = (
    f"each request costs ${USD_PER_REQUEST}, and a refresh sends {MOST_REQUESTS} at most: $0.60 "
    f"for 30 daily refreshes. None was sent now. The credentials need {ACTION}. An export is free"
)


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield facts about a connection."""
    if not (isinstance(connection, BedrockConnection) and connection.cost_explorer):
        yield from diagnosis.diagnose(rules, settings, connection, reach, today)
        return
    try:
        client(connection)
    except SettingsError as missing:
        yield Diagnosis("FAIL", "Cost Explorer", str(missing))
        return
    yield Diagnosis("OK", "Cost Explorer", f"boto3 asks {connection.region}: {PRICE}")
