"""Invitations to the organisation."""

from openai_costs.tables.contract import At, column
from openai_costs.tables.entity import Known


class Invites(Known):
    """Invitations to the organisation.

    One row per connection and invite id, with the values it was last listed with. Holds e-mail
    addresses: personal data. Status: pending, accepted, expired or vanished.
    """

    email: str = column("E-mail address invited. Personal data.", nullable=True)
    role: str = column("owner or reader.", nullable=True)
    expires_at: At = column("When it expires.", unit="UTC timestamp", nullable=True)
    accepted_at: At = column("When it was accepted.", unit="UTC timestamp", nullable=True)
