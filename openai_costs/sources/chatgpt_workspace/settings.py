"""What settings say of a connection to a ChatGPT workspace."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from openai_costs.settings.connection import Connection
from openai_costs.settings.section import Number, VariableName, written_as

DEFAULT_BASE_URL = "https://api.chatgpt.com/v1"

OrganizationId = Annotated[
    str,
    written_as(
        r"org-[A-Za-z0-9_-]{1,64}",
        "must be the organization's id (org-...): the workspace's id is answered without costs",
    ),
]
CreditPrice = Annotated[Number, Field(gt=0, lt=1000, max_digits=21, decimal_places=18)]


class ChatGptConnection(Connection):
    """One organization with ChatGPT Business or Enterprise, and the key that reads its logs."""

    provider: Literal["chatgpt_workspace"] = "chatgpt_workspace"
    admin_key_env: VariableName = "CHATGPT_ADMIN_KEY"
    organization_id: OrganizationId
    base_url: str = DEFAULT_BASE_URL
    usd_per_credit: CreditPrice | None = None

    key_remedy: ClassVar[str] = (
        "Create an admin key with the scope chatgpt.enterprise.compliance_logs_platform.costs.read "
        "(Global Admin Console > Credentials) and export it"
    )
    sample_key: ClassVar[str] = "sk-chatgpt-admin-sample"


def credit_price(connection: Connection) -> Decimal | None:
    """Return how many dollars a credit of a connection is; None where the settings do not say."""
    return connection.usd_per_credit if isinstance(connection, ChatGptConnection) else None
