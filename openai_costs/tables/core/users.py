"""The members of each organization."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class Users(Known):
    """Members of the organization.

    One row per connection and user id, with its last listed values. Contains
    e-mail addresses: personal data. Status: active, pending_cancellation, banned, disabled,
    vanished or not_listed. The ledger names service accounts as users; those listed in
    core.service_accounts are not repeated here.
    """

    email: str = column("E-mail address. Personal data.", nullable=True)
    role: str = column(
        "The role, as the provider names it: owner, reader, admin, developer, ...", nullable=True
    )
    is_service_account: bool = column(
        "Whether it is a service account; null if the provider does not say.", nullable=True
    )
    added_at: At = column("When the user joined.", unit="UTC timestamp", nullable=True)
    last_used_at: At = column(
        "When one of its API keys was last used.", unit="UTC timestamp", nullable=True
    )
