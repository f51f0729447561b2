"""The lists of OpenAI's organizations: their raw pages, and how they are read and understood."""

from openai_costs.sources.openai.connection import NAME
from openai_costs.sources.openai.organization.endpoints import DATASET
from openai_costs.sources.openai.organization.listings import listing
from openai_costs.sources.openai.organization.source import OpenAIDirectory
from openai_costs.sources.provider import OrganizationSource, RawPages

ORGANIZATION = OrganizationSource(
    pages=RawPages(
        provider=NAME,
        dataset=DATASET,
        description="Directory pages as OpenAI sent them. Kept and never edited.",
        group="sources/openai/directory",
        reader=OpenAIDirectory,
    ),
    listing=listing,
)
