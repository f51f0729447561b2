"""Bedrock as a provider: its raw pages, and what the rest of the project asks of them."""

from collections.abc import Iterator
from datetime import timedelta

from openai_costs.settings.connection import Connection
from openai_costs.sources.bedrock.diagnosis import diagnose
from openai_costs.sources.bedrock.rules import WORDS, rules_of_kept
from openai_costs.sources.bedrock.settings import BedrockConnection
from openai_costs.sources.bedrock.source import BedrockReader
from openai_costs.sources.exports import frames
from openai_costs.sources.exports.clouds import AWS
from openai_costs.sources.exports.kept_reads import DATASET
from openai_costs.sources.exports.notes import first_day, owed_days
from openai_costs.sources.exports.settled import AT_THE_LATEST
from openai_costs.sources.provider import CostSource, Provider, RawPages, Reads
from openai_costs.storage.slices import Batch

NAME = "bedrock"


def ledger(reads: Reads, connection: Connection) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return frames.ledger_batches(reads, connection, rules_of_kept(connection), WORDS)


def control(reads: Reads, connection: Connection, grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control for kept reads."""
    return frames.control_batches(reads, connection, grace, rules_of_kept(connection))


BEDROCK = Provider(
    name=NAME,
    connection=BedrockConnection,
    allowed=(),
    costs=CostSource(
        pages=RawPages(
            provider=NAME,
            dataset=DATASET,
            description="Rows of AWS exports, or of Cost Explorer. A part for each file.",
            group="sources/bedrock",
            reader=BedrockReader,
            first_day=first_day,
        ),
        ledger=ledger,
        control=control,
        owned_ids=frames.billing_accounts,
        owed=owed_days,
    ),
    diagnose=diagnose,
    settles_within=AT_THE_LATEST,
    invoicers=(AWS,),
)
