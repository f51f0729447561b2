"""How this particular organization's API behaves, where live organizations differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

SAMPLE_ADMIN_KEY: Final = "sk-admin-sample"
NO_SCOPE_ADMIN_KEY: Final = "sk-admin-noscope"
USAGE_ONLY_ADMIN_KEY: Final = "sk-admin-usage-only"


@dataclass(frozen=True, slots=True)
class WireOptions:
    """Choices the vendor documents as depending on the organization or on the date.

    Attributes:
        combine_user: whether `user_id` may be combined with `project_id` or `project_ids` in
            costs; a date means from that window start on.
        lookback_floor: the oldest start this organization may ask for, None for no floor.
        accepts_api_key_grouping: one live organization refused `group_by=api_key_id`.
        accepts_api_source_grouping: `api_source` is the newest dimension.
        admin_keys: admin keys with every scope.
        text_amounts_before: amounts of older days are 34-digit strings; the vendor went back to
            numbers on the default date.
        plain_usage_before: usage of older days has its former shape: without the kinds of
            tokens and the service tier, and with an empty text for a missing project.
        without_usage: usage endpoints this organization does not have.
    """

    combine_user: Literal["always", "never"] | date = "always"
    lookback_floor: date | None = None
    accepts_api_key_grouping: bool = True
    accepts_api_source_grouping: bool = True
    admin_keys: frozenset[str] = frozenset({SAMPLE_ADMIN_KEY})
    text_amounts_before: date = date(2026, 9, 20)
    plain_usage_before: date = date(2026, 8, 21)
    without_usage: frozenset[str] = frozenset()


USUAL: Final = WireOptions()
