"""The admin keys of each organisation."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class AdminKeys(Known):
    """Admin keys of the organisation.

    One row per connection and admin key id, with the values it was last listed with. Status:
    active, expired or vanished.
    """

    owner_type: str = column("user or service_account; null when not told.", nullable=True)
    owner_id: str = column("The owner's id.", nullable=True)
    redacted_value: str = column(
        "The key as the provider shows it: hidden but for its ends.", nullable=True
    )
    last_used_at: At = column("When it was last used.", unit="UTC timestamp", nullable=True)
    expires_at: At = column("When it expires.", unit="UTC timestamp", nullable=True)
