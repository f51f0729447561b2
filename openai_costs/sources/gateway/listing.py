"""One complete reading of a registry: its tokens as one source lists them. Pure.

Not here: what all readings together say of a token (token_history.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from openai_costs.kernel.days import ONE_DAY

DELETED = "deleted"
_NEVER = datetime.min  # noqa: DTZ901 - instants in tables have no zone


class Named(NamedTuple):
    """What decides which bill a token is on."""

    name: str | None = None
    openai_api_key_id: str | None = None
    openai_project_id: str | None = None
    openai_key_hint: str | None = None

    def or_else(self, other: "Named") -> "Named":
        """Return it with what another one says where it says nothing."""
        both = zip(self, other, strict=True)
        return Named(*(then if one is None else one for one, then in both))


class TokenRow(NamedTuple):
    """A token as one source lists it; None where it does not say."""

    token_id: str
    name: str | None = None
    status: str | None = None
    team: str | None = None
    owner_id: str | None = None
    openai_api_key_id: str | None = None
    openai_project_id: str | None = None
    openai_key_hint: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether it is of a token that has been deleted."""
        return self.status == DELETED

    @property
    def named(self) -> Named:
        """What decides which bill it is on."""
        return Named(
            self.name, self.openai_api_key_id, self.openai_project_id, self.openai_key_hint
        )


@dataclass(frozen=True)
class Listing:
    """One complete reading of a registry.

    A token that was made again with the same secret is in it as live and as deleted, for good.

    Args:
        day: The UTC day it was read on.
        mapping: What a key named in it is known by: token_metadata or registry_file.
        rows: The tokens listed, one that was deleted and made again once for each life.
        is_read_now: Whether settings still name the source; what they do not is listed no more.
        is_partial: Whether rows of it were set aside, or most of it is missing: a token it lacks
            may be there all the same.
    """

    day: date
    mapping: str
    rows: Sequence[TokenRow]
    is_read_now: bool = True
    is_partial: bool = False

    def tokens(self) -> Iterator[TokenRow]:
        """Yield the row of each token's last life: it is live, or was deleted last."""
        live = [row for row in self.rows if not row.is_deleted]
        yield from live
        if gone := self._deleted():
            there = {row.token_id for row in live}
            yield from (row for token, row in gone.items() if token not in there)

    def lives_before(self) -> Iterator[tuple[date, TokenRow]]:
        """Yield the life before of each live token that was deleted, after the last day of it.

        That is the day before the token was made again. A life without instants is left out, and so
        is one that was named as the token is now.
        """
        gone = self._deleted()
        for row in self.rows if gone else ():
            before = None if row.is_deleted else gone.get(row.token_id)
            if before and before.named != row.named and row.created_at and before.created_at:
                last = min(row.created_at.date(), self.day) - ONE_DAY
                if before.created_at < row.created_at:
                    yield last, before

    def _deleted(self) -> dict[str, TokenRow]:
        """Return the row of each deleted token that was made last."""
        gone = [row for row in self.rows if row.is_deleted]
        return {row.token_id: row for row in sorted(gone, key=_made)}


def _made(row: TokenRow) -> datetime:
    return row.created_at or _NEVER
