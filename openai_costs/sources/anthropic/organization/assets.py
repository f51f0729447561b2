"""The lists of Anthropic's organizations: their raw pages, and how they are read and understood."""

from openai_costs.sources.anthropic.connection import NAME
from openai_costs.sources.anthropic.organization.endpoints import DATASET
from openai_costs.sources.anthropic.organization.listings import listing
from openai_costs.sources.anthropic.organization.source import AnthropicOrganization
from openai_costs.sources.provider import OrganizationSource, RawPages

ORGANIZATION = OrganizationSource(
    pages=RawPages(
        provider=NAME,
        dataset=DATASET,
        description="Lists as Anthropic sent them. Kept and never edited.",
        group="sources/anthropic/organization",
        reader=AnthropicOrganization,
    ),
    listing=listing,
)
