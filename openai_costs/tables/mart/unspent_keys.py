"""Keys without spend that could still be used: unused API keys, and admin keys."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, column

KINDS = ("unused", "admin_key")


class UnspentKeys(Contract):
    """Keys without spend that could be misused.

    One row per connection and key: an API key that was never used or billed and that no gateway
    token names, or an admin key, which can create API keys that bypass the gateway.
    """

    connection: str = column("The connection in openai_costs.toml.")
    key_id: str = column("The key's id.")
    key_name: str = column("The key's last known name.", nullable=True)
    kind: str = column("unused or admin_key.", isin=KINDS)
    owner: str = column("The name of the user or service account that owns the key.", nullable=True)
    owner_id: str = column("The owner's id.", nullable=True)
    owner_type: str = column("user or service_account.", nullable=True)
    project_id: str = column("The project; null for an admin key.", nullable=True)
    created_at: At = column(
        "When it was created; null if unknown.", unit="UTC timestamp", nullable=True
    )
    last_used_at: At = column(
        "When the key was last used; null if never.", unit="UTC timestamp", nullable=True
    )
    first_seen_day: dt.date = column("First UTC day it was listed on.", unit="UTC day")
    is_allowed: bool = column("Whether the allow-list in the settings covers the key.")
    allowed_because: str = column("The reason given in the allow-list.", nullable=True)

    class Config(Contract.Config):
        """One row per connection and key."""

        unique = ("connection", "key_id")
