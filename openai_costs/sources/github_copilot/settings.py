"""What settings say of a connection to GitHub Copilot."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from openai_costs.settings.connection import Connection
from openai_costs.settings.section import VariableName, written_as

DEFAULT_BASE_URL = "https://api.github.com"

EARLIEST_START = date(2024, 1, 1)
"""Before it there was no such API."""

OrganizationName = Annotated[
    str,
    written_as(
        r"[A-Za-z0-9][A-Za-z0-9-]{0,38}",
        "must be the organization's name as in its address: letters, digits and -",
    ),
]


class CopilotConnection(Connection):
    """One GitHub organization that pays for Copilot, with the token that reads its bill."""

    provider: Literal["github_copilot"] = "github_copilot"
    admin_key_env: VariableName = "GITHUB_COPILOT_TOKEN"
    organization_id: OrganizationName
    start: date | None = Field(default=None, ge=EARLIEST_START)
    base_url: str = DEFAULT_BASE_URL
    by_person: bool = True

    key_remedy: ClassVar[str] = (
        "Create a fine-grained token of the organization with Administration: read, and export it"
    )
    sample_key: ClassVar[str] = "github_pat_sample"


def asks_by_person(connection: Connection) -> bool:
    """Return whether a connection asks what each person used."""
    by_person = isinstance(connection, CopilotConnection) and connection.by_person
    return by_person and connection.access == "full"
