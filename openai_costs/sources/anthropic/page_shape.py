"""The entries of a kept day against what we know of them: known, merely new, or not to be trusted.

Pure: bytes in, typed entries out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from openai_costs.kernel.errors import CurrencyRefused, PageRefused
from openai_costs.kernel.redaction import without_domains
from openai_costs.kernel.unreadable import UNREADABLE

T = TypeVar("T")
DOLLARS = {"usd", "USD"}


class FederatedProvider(msgspec.Struct):
    """The cloud or issuer that vouches for a federated identity."""

    type: str | None = None
    account_id: str | None = None
    subscription_id: str | None = None
    project_number: str | None = None
    issuer: str | None = None

    @property
    def account(self) -> str | None:
        """The account there, whatever that provider calls it."""
        return self.account_id or self.subscription_id or self.project_number or self.issuer


class Actor(msgspec.Struct):
    """Who caused some usage; names and addresses of people are not read."""

    type: str
    user_id: str | None = None
    service_account_id: str | None = None
    api_key_id: str | None = None
    subject: str | None = None
    provider: FederatedProvider | None = None

    @property
    def id(self) -> str | None:
        """The user, service account or federated identity; None for a key that acts by itself."""
        return self.user_id or self.service_account_id or self._federated

    @property
    def _federated(self) -> str | None:
        """A federated identity has no id of its own: its subject, without any mail domain."""
        if self.provider is None:
            return None
        named = self.subject and without_domains(self.subject)
        return ":".join(filter(None, (self.provider.type, named or self.provider.account)))


ACTORS = {"user_actor", "service_account_actor", "federated_actor", "api_actor"}


class Group(msgspec.Struct):
    """The dimensions of a row of the analytics API that we ask for."""

    workspace_id: str | None = None
    api_key_id: str | None = None
    actor: Actor | None = None
    model: str | None = None
    service_tier: str | None = None
    product: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None
    cost_type: str | None = None
    token_type: str | None = None


UNASKED = (
    "actor_type",
    "agent_id",
    "claude_tag_category",
    "claude_tag_user_id",
    "deployment_id",
    "environment_id",
    "organization_id",
    "rbac_group_id",
    "session_id",
    "slack_channel_id",
    "speed",
    "user_profile_id",
)
"""Dimensions of the analytics API that we do not ask for: known, and null."""


class Kept(msgspec.Struct, Generic[T]):
    """A kept day: the entries of its pages, and until when they were complete."""

    data: list[T]
    data_refreshed_at: str | None = None


def decoded(body: bytes, entry: type[T], page: str) -> Kept[T]:
    """Return a kept day.

    Args:
        body: What is kept of it.
        entry: What an entry is.
        page: The page's name, for messages.

    Raises:
        PageRefused: A field we rely on is gone or has another type.
    """
    try:
        return msgspec.json.decode(body, type=Kept[entry])  # type: ignore[valid-type]  # known when it runs
    except UNREADABLE as gone:
        raise PageRefused(page, _where(str(gone)), f"has an unexpected form: {gone}") from None


def plain(body: bytes) -> list[dict[str, Any]]:
    """Return the entries of a kept day without any type, to look for what is new in them."""
    return msgspec.json.decode(body, type=Kept[dict[str, Any]]).data


Fields = Mapping[str, Iterable[str]]
"""The fields we know, by the field that they are in; "" for the entry itself."""


def new_fields(entries: Sequence[Mapping[str, Any]], known: Fields) -> set[str]:
    """Return the names of fields that are new to us.

    Args:
        entries: The entries.
        known: The fields we know.
    """
    new = set[str]()
    for place, names in known.items():
        inside = [one.get(place) for one in entries] if place else entries
        there = set[str]().union(*(one for one in inside if isinstance(one, dict)))
        new |= {f"{place}.{one}" if place else one for one in there.difference(names)}
    return new


def refuse_renamed(
    entries: Sequence[Mapping[str, Any]], grouping: Iterable[str], new: Iterable[str], page: str
) -> None:
    """Refuse a page in which a dimension we asked for is gone and another field is new.

    Raises:
        PageRefused: The dimension was probably renamed: its dollars would lose it.
    """
    for dimension in grouping:
        if new and entries and not any(dimension in one for one in entries):
            why = f"is gone from every row, while {', '.join(sorted(new))} is new: renamed?"
            raise PageRefused(page, f"data[].{dimension}", why)


def refuse_other_currencies(currencies: Iterable[str], page: str) -> None:
    """Refuse a page with an amount that is not in dollars.

    Raises:
        CurrencyRefused: One is not.
    """
    if strange := set(currencies) - DOLLARS:
        why = f"is {', '.join(sorted(strange))}; this ledger adds dollars to dollars only"
        raise CurrencyRefused(page, "data[].currency", why)


def unknown_values(name: str, values: Iterable[str | None], known: Iterable[str]) -> Iterator[str]:
    """Yield a remark about the values of a field that are new to us."""
    if strange := sorted({one for one in values if one} - set(known)):
        yield f"unknown values of {name}: {', '.join(strange)}"


def remark_of(new: Iterable[str]) -> Iterator[str]:
    """Yield a remark about fields that are new to us."""
    if named := ", ".join(sorted(new)):
        yield f"unknown fields, kept in raw: {named}"


def _where(message: str) -> str:
    """Return the path of the field that a message of the parser is about."""
    path = message.rpartition("`$")[2].strip("`").removeprefix(".") if "`$" in message else ""
    missing = message.partition("missing required field `")[2].partition("`")[0]
    return ".".join(part for part in (path or "data", missing) if part)
