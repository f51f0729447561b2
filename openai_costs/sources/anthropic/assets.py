"""Anthropic as a provider: its raw pages, and all that the rest of the project asks of it."""

from openai_costs.sources.anthropic.connection import ALLOWED, NAME
from openai_costs.sources.anthropic.costs.endpoints import DATASET
from openai_costs.sources.anthropic.costs.frames import control_batches, ledger_batches
from openai_costs.sources.anthropic.costs.identity import accounts, owned_ids
from openai_costs.sources.anthropic.costs.source import AnthropicCosts
from openai_costs.sources.anthropic.diagnosis import diagnose
from openai_costs.sources.anthropic.organization.assets import ORGANIZATION
from openai_costs.sources.anthropic.reader import first_day
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.sources.anthropic.usage.assets import USAGE
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.provider import CostSource, Provider, RawPages

ANTHROPIC = Provider(
    name=NAME,
    connection=AnthropicConnection,
    allowed=ALLOWED["full"],
    costs=CostSource(
        pages=RawPages(
            provider=NAME,
            dataset=DATASET,
            description="Cost pages as Anthropic sent them. Kept and never edited.",
            group="sources/anthropic",
            reader=AnthropicCosts,
            first_day=first_day,
            is_paced=True,
        ),
        ledger=ledger_batches,
        control=control_batches,
        accounts=accounts,
        owned_ids=owned_ids,
    ),
    diagnose=diagnose,
    usage=USAGE,
    organization=ORGANIZATION,
    invoicers=(
        Invoicer(
            NAME,
            "Anthropic",
            "Claude API",
            "Workspace",
            "Anthropic names the actor and the API key (api_key_id) of a line; work in its Console "
            "has no key.",
        ),
    ),
)
