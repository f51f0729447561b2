"""The gateway's registry: its tokens, and the OpenAI key behind each."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, column

MAPPINGS = ("token_metadata", "registry_file", "declared_upstream", "key_hint", "none")
CONFIDENCES = ("high", "medium", "low", "none")
TOKEN_STATES = ("active", "blocked", "expired", "deleted", "vanished")


class GatewayTokens(Contract):
    """The gateway's tokens and their OpenAI keys.

    One row per gateway and token, with its last listed values; kept when it vanishes
    from the list. No gateway stores which OpenAI key it sent a request with, so `mapping` says how
    the key is known and `confidence` how reliable that is.
    """

    connection: str = column("The gateway: [gateway] name in openai_costs.toml.")
    token_id: str = column("The token's id at the gateway: a hash, never the token itself.")
    name: str = column("The token's alias; null if it has none.", nullable=True)
    status: str = column("active, blocked, expired, deleted or vanished.", isin=TOKEN_STATES)
    team: str = column("The gateway's team, by name or id.", nullable=True)
    owner_id: str = column(
        "The gateway's user id; null if there is none or it is an e-mail address.",
        nullable=True,
    )
    upstream_connection: str = column(
        "The OpenAI connection in openai_costs.toml that the token spends on; null if unknown.",
        nullable=True,
    )
    openai_api_key_id: str = column("The OpenAI key behind the token.", nullable=True)
    openai_project_id: str = column("The OpenAI project behind the token.", nullable=True)
    openai_key_hint: str = column("The last characters of the OpenAI key.", nullable=True)
    mapping: str = column(
        "How the OpenAI key or project is known: token_metadata, registry_file, "
        "declared_upstream, key_hint or none.",
        isin=MAPPINGS,
    )
    confidence: str = column(
        "high: the token names an OpenAI key id; medium: the settings declare an upstream key for "
        "it; low: only a project or the key's last characters are known; none: nothing is known.",
        isin=CONFIDENCES,
    )
    created_at: At = column(
        "When it was created; null if unknown.", unit="UTC timestamp", nullable=True
    )
    expires_at: At = column("When it expires.", unit="UTC timestamp", nullable=True)
    last_used_at: At = column("When it was last used.", unit="UTC timestamp", nullable=True)
    first_seen_day: dt.date = column("First UTC day it was listed on.", unit="UTC day")
    last_seen_day: dt.date = column(
        "Newest UTC day it was listed on and not deleted.", unit="UTC day"
    )
    is_current: bool = column(
        "Whether the newest complete list contains it and does not mark it deleted."
    )

    class Config(Contract.Config):
        """One row per gateway and token."""

        unique = ("connection", "token_id")
