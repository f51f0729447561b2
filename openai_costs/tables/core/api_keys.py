"""The API keys of every project, and who owns each."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class ApiKeys(Known):
    """API keys of every project, and who owns them.

    One row per connection and API key id, with its last listed values. The key itself is never
    stored: the provider sends a redacted value. Status: active, inactive,
    archived, expired, vanished or not_listed.
    """

    project_id: str = column("The project it belongs to; null if not listed.", nullable=True)
    owner_type: str = column(
        "user or service_account; null if the provider does not say.", nullable=True
    )
    owner_id: str = column("The user's or service account's id.", nullable=True)
    owner_name: str = column("The owner's last known name.", nullable=True)
    owner_project_access: str = column(
        "active or inactive, as the provider reports it.", nullable=True
    )
    redacted_value: str = column(
        "The key as the provider shows it: all but its first and last characters hidden; null if "
        "not listed.",
        nullable=True,
    )
    last_used_at: At = column("When it was last used.", unit="UTC timestamp", nullable=True)
    expires_at: At = column("When it expires.", unit="UTC timestamp", nullable=True)
