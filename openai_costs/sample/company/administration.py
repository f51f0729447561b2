"""The paperwork of Tidewater Maps: invitations, admin keys, spend limits and alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from openai_costs.sample.company.fixtures import AdminKey, Invite, SpendAlert, SpendLimit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openai_costs.sample.company.fixtures import Role

    InstantOf = Callable[[int, str], datetime]

INVITE_VALID: Final = timedelta(days=7)

# id suffix, who is invited, role, projects, ages: sent, accepted
_INVITES: Final[tuple[tuple[str, str, Role, str, int, int | None], ...]] = (
    ("freya", "freya", "reader", "finance_close", 262, 260),
    ("bogdan", "bogdan", "reader", "map_studio", 40, None),
    ("zeynep", "zeynep", "reader", "labs place_search", 3, None),
)

# id suffix, name, owner, ages: created, last used; days it is good for
_ADMIN_KEYS: Final[tuple[tuple[str, str, str, int, int | None, int | None], ...]] = (
    ("terraform", "terraform", "ines", 700, 2, None),
    ("month_end", "month end export", "tobias", 330, 210, 365),
    ("costs", "cost reader", "tobias", 110, 1, None),
)

# project or None, cents a month, whether it is enforced, age when set
_LIMITS: Final[tuple[tuple[str | None, int, bool, int], ...]] = (
    (None, 2_500_000, True, 400),
    ("labs", 300_000, False, 200),
)

# id suffix, project or None, cents a month, recipients, age when set
_ALERTS: Final[tuple[tuple[str, str | None, int, str, int], ...]] = (
    ("bill", None, 800_000, "tobias freya", 400),
    ("bill_high", None, 1_500_000, "tobias ines", 400),
    ("labs", "labs", 100_000, "hyejin tobias", 200),
)


def invites(instant: InstantOf, mail_domain: str) -> tuple[Invite, ...]:
    """Every invitation that was ever sent."""
    return tuple(
        Invite(
            id=f"invite-{suffix}",
            email=f"{mailbox}@{mail_domain}",
            role=role,
            project_ids=tuple(f"proj_{project}" for project in projects.split()),
            created_at=instant(sent, suffix),
            expires_at=instant(sent, suffix) + INVITE_VALID,
            accepted_at=None if accepted is None else instant(accepted, suffix),
        )
        for suffix, mailbox, role, projects, sent, accepted in _INVITES
    )


def admin_keys(instant: InstantOf) -> tuple[AdminKey, ...]:
    """The admin keys; one is about to expire."""
    return tuple(
        AdminKey(
            id=f"key_admin_{suffix}",
            name=name,
            redacted_value=f"sk-admin-****{sum(suffix.encode()) % 10_000:04d}",
            owner_id=f"user-{owner}",
            created_at=instant(created, suffix),
            last_used_at=None if used is None else instant(used, suffix),
            expires_at=None if valid is None else instant(created - valid, suffix),
        )
        for suffix, name, owner, created, used, valid in _ADMIN_KEYS
    )


def spend_limits(instant: InstantOf) -> tuple[SpendLimit, ...]:
    """The hard limits; most projects have none."""
    return tuple(
        SpendLimit(project and f"proj_{project}", cents, instant(age, "limit"), is_enforced)
        for project, cents, is_enforced, age in _LIMITS
    )


def spend_alerts(instant: InstantOf, mail_domain: str) -> tuple[SpendAlert, ...]:
    """The thresholds that send mail."""
    return tuple(
        SpendAlert(
            id=f"alert_{suffix}",
            project_id=project and f"proj_{project}",
            threshold_cents=cents,
            recipients=tuple(f"{mailbox}@{mail_domain}" for mailbox in mailboxes.split()),
            created_at=instant(age, suffix),
        )
        for suffix, project, cents, mailboxes, age in _ALERTS
    )
