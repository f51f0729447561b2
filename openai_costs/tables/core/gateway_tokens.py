"""The gateway's registry: its tokens, and the OpenAI key behind each."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, column

MAPPINGS = (
    "token_metadata",
    "registry_file",
    "key_hint",
    "token_name",
    "declared_upstream",
    "none",
)
CONFIDENCES = ("high", "medium", "low", "none")
UNLISTED, REASSIGNED = "unlisted", "reassigned"
TOKEN_STATES = ("active", "blocked", "expired", "deleted", "vanished", UNLISTED, REASSIGNED)


class GatewayTokens(Contract):
    """The gateway's tokens and their OpenAI keys.

    One row per gateway and token, with its last listed values; kept when it vanishes
    from the list. A token that was on another bill before has a row of status `reassigned` for each
    of its earlier bills. A token that the meter names and no list does, such as the hash before a
    rotation, has a row of its own with status `unlisted`. No gateway stores which OpenAI key it
    sent a request with, so `mapping` says how the key is known and `confidence` how reliable that
    is.
    """

    connection: str = column("The gateway: [gateway] name in openai_costs.toml.")
    token_id: str = column("The gateway's id of the token: a hash, never the token.")
    name: str = column(
        "The token's alias, without e-mail addresses; null where it has no other.", nullable=True
    )
    status: str = column(
        "active, blocked, expired, deleted, vanished; unlisted: only the meter names it; "
        "reassigned: the token is on another bill since.",
        isin=TOKEN_STATES,
    )
    team: str = column(
        "The gateway's team, by name or id, without e-mail addresses.", nullable=True
    )
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
        "key_hint, token_name (a listed token has the same alias), declared_upstream or none.",
        isin=MAPPINGS,
    )
    confidence: str = column(
        "high: an OpenAI key id is named for this token; medium: an upstream key is declared for "
        "it in settings, or named for a token of the same alias; low: only a project, the "
        "key's last characters, or a key id that no directory has; none: nothing.",
        isin=CONFIDENCES,
    )
    created_at: At = column(
        "When it was created; null if unknown.", unit="UTC timestamp", nullable=True
    )
    expires_at: At = column("When it expires.", unit="UTC timestamp", nullable=True)
    last_used_at: At = column("When it was last used.", unit="UTC timestamp", nullable=True)
    first_seen_day: dt.date = column(
        "First UTC day it was listed on; of an unlisted one, metered on; of one that was made "
        "again before the first list, the day of that, and the day before it of its earlier bill.",
        unit="UTC day",
    )
    last_seen_day: dt.date = column(
        "Newest UTC day it was listed on, not as deleted; of an unlisted one, metered on; of the "
        "bill of one that was made again before the first list, the day before that.",
        unit="UTC day",
    )
    counts_from_day: dt.date = column(
        "First UTC day on which it may have been on this bill: the day after a list last had the "
        "token on its bill before; null for the first one, which counts for all days before.",
        unit="UTC day",
        nullable=True,
    )
    counts_until_day: dt.date = column(
        "Last UTC day on which it may have been on this bill: the day before the first complete "
        "list without it, or with another bill; null while it is listed.",
        unit="UTC day",
        nullable=True,
    )
    is_current: bool = column("Whether the newest complete list has it, not as deleted.")
    is_partial: bool = column(
        "Whether the newest list with it may lack some: rows of it were set aside, or it lost more "
        "than half of its tokens and no list of another day has as few."
    )

    class Config(Contract.Config):
        """One row per gateway, token and bill that it was on."""

        unique = ("connection", "token_id", "first_seen_day")
