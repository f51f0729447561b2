"""`[directory]` and `[seats]`: the company's own list of people, and what a seat costs."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from openai_costs.sections.section import Columns, Section


class Directory(Section):
    """Where the company's own list of people is, and how an address finds its person."""

    files: tuple[str, ...] = ()
    """Backstage YAML, CSV, SCIM JSON or a Google Workspace export; `*` is allowed."""
    columns: Columns = Field(default_factory=dict)
    """For CSV: our name of a column, and the file's."""
    domain_aliases: Mapping[str, str] = Field(default_factory=dict)
    """A mail domain, and the domain it is the same as."""
    ignore_plus_tags: bool = False
    service_accounts: tuple[str, ...] = ()
    """Addresses or user ids that are robots; `*` is allowed."""
    largest_drop_pct: Decimal = Field(default=Decimal(50), gt=0, le=100)
    """A directory that lost this share of its people since the last read is not believed."""


class Seats(Section):
    """What a seat costs, by contract, and when it is idle."""

    month_usd: Decimal | None = Field(default=None, ge=0)
    """Contract price of one seat for a month."""
    month_usd_by_role: Mapping[str, Decimal] = Field(default_factory=dict)
    idle_after_days: int = Field(default=30, ge=1, le=366)
    subscription_labels: tuple[str, ...] = ("seat", "subscription", "chatgpt")
    """Words in a line item that make it a seat's; the Costs API has no such lines today."""
