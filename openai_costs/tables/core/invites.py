"""Invitations to the organization."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class Invites(Known):
    """Invitations to the organization.

    One row per connection and invite id, with its last listed values. Contains
    e-mail addresses: personal data. Status: pending, accepted, expired or vanished.
    """

    email: str = column("The invited e-mail address. Personal data.", nullable=True)
    role: str = column(
        "The role, as the provider names it: owner, reader, admin, developer, ...", nullable=True
    )
    expires_at: At = column("When it expires.", unit="UTC timestamp", nullable=True)
    accepted_at: At = column("When it was accepted.", unit="UTC timestamp", nullable=True)
