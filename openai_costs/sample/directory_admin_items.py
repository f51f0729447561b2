"""What only administrators see, as the directory writes it: invitations, admin keys, limits.

Thresholds are cents, unlike everything else that is money here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_costs.sample.directory_items import second

if TYPE_CHECKING:
    from datetime import datetime

    from openai_costs.sample.buckets import Json
    from openai_costs.sample.cast import AdminKey, Cast, Invite, SpendAlert, SpendLimit

_MONTHLY: Final = {"currency": "USD", "interval": "month"}


def invite_item(invite: Invite, at: datetime) -> Json:
    """An invitation, with the state it is in at a moment."""
    is_accepted = invite.accepted_at is not None and invite.accepted_at <= at
    status = "accepted" if is_accepted else "expired" if invite.expires_at <= at else "pending"
    return {
        "object": "organization.invite",
        "id": invite.id,
        "email": invite.email,
        "role": invite.role,
        "status": status,
        "created_at": second(invite.created_at),
        "expires_at": second(invite.expires_at),
        "accepted_at": second(invite.accepted_at) if is_accepted else None,
        "projects": [{"id": project_id, "role": "member"} for project_id in invite.project_ids],
    }


def admin_key_item(cast: Cast, key: AdminKey, at: datetime) -> Json:
    """An admin key, and the owner of the organisation who made it."""
    owner = cast.person_by_id[key.owner_id]
    return {
        "object": "organization.admin_api_key",
        "id": key.id,
        "name": key.name,
        "redacted_value": key.redacted_value,
        "created_at": second(key.created_at),
        "expires_at": second(key.expires_at),
        "last_used_at": second(key.last_used_at and min(key.last_used_at, at)),
        "owner": {
            "type": "user",
            "object": "organization.user",
            "id": owner.id,
            "name": owner.name,
            "created_at": second(owner.added_at),
            "role": "owner",
        },
    }


def spend_alert_item(alert: SpendAlert) -> Json:
    """A threshold that sends mail, and to whom."""
    kind = "project.spend_alert" if alert.project_id else "organization.spend_alert"
    channel = {
        "type": "email",
        "recipients": list(alert.recipients),
        "subject_prefix": "Tidewater spend",
    }
    return {
        "object": kind,
        "id": alert.id,
        "threshold_amount": alert.threshold_cents,
        **_MONTHLY,
        "notification_channel": channel,
    }


def spend_limit_item(limit: SpendLimit) -> Json:
    """A threshold at which the vendor stops answering."""
    return {
        "object": "project.spend_limit" if limit.project_id else "organization.spend_limit",
        "threshold_amount": limit.threshold_cents,
        **_MONTHLY,
        "enforcement": {"status": "enforcing" if limit.is_enforced else "inactive"},
    }
