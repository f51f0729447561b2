"""The members of each organisation."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class Users(Known):
    """Members of the organisation.

    One row per connection and user id, with the values it was last listed with. Holds e-mail
    addresses: personal data. Status: active, banned, disabled, vanished or not_listed. A ledger
    names service accounts as users: one that core.service_accounts knows is not repeated here.
    """

    email: str = column("E-mail address. Personal data.", nullable=True)
    role: str = column("owner or reader.", nullable=True)
    is_service_account: bool = column("Whether it is a robot; null when not told.", nullable=True)
    added_at: At = column("When it joined.", unit="UTC timestamp", nullable=True)
    last_used_at: At = column(
        "When one of its API keys was last used.", unit="UTC timestamp", nullable=True
    )
