"""OpenAI as a provider: its raw pages, and all that the rest of the project asks of it."""

from collections.abc import Iterator
from datetime import timedelta

from openai_costs.settings.connection import Connection
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.openai.connection import ALLOWED, NAME
from openai_costs.sources.openai.costs import frames
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.costs.pages import accounts, owned_ids
from openai_costs.sources.openai.costs.source import OpenAICosts
from openai_costs.sources.openai.diagnosis import diagnose
from openai_costs.sources.openai.organization.assets import ORGANIZATION
from openai_costs.sources.openai.reader import first_day
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.openai.usage.assets import USAGE
from openai_costs.sources.provider import CostSource, Provider, RawPages, Reads
from openai_costs.storage.slices import Batch

DESCRIPTION = "Cost pages as OpenAI sent them. Kept and never edited: the evidence."


def _control(reads: Reads, _connection: Connection, grace: timedelta) -> Iterator[Batch]:
    return frames.control_batches(reads, grace)


OPENAI = Provider(
    name=NAME,
    connection=OpenAIConnection,
    allowed=ALLOWED["full"],
    costs=CostSource(
        pages=RawPages(
            provider=NAME,
            dataset=COSTS.dataset,
            description=DESCRIPTION,
            group="sources/openai",
            reader=OpenAICosts,
            first_day=first_day,
            is_paced=True,
        ),
        ledger=frames.ledger_batches,
        by_user=frames.by_user_batches,
        control=_control,
        accounts=accounts,
        owned_ids=owned_ids,
    ),
    diagnose=diagnose,
    usage=USAGE,
    organization=ORGANIZATION,
    invoicers=(
        Invoicer(
            NAME,
            "OpenAI",
            "OpenAI API",
            attribution="OpenAI names the user (user_id) and the API key (api_key_id) of a line, "
            "where the admin key may group costs by them.",
        ),
    ),
)
