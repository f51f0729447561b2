"""Spend limits and alerts set at the provider."""

from openai_costs.tables.contract import Usd, column
from openai_costs.tables.entity import Known

KINDS = ("limit", "alert")


class SpendLimits(Known):
    """Spend limits and alerts set at the provider.

    One row per connection and limit or alert. The provider states thresholds in cents; here they
    are in dollars. A limit has no id of its own: `spend_limit` is the organization's, and
    `spend_limit.<project id>` a project's. Recipients of an alert are counted, never named.
    Status: enforcing or inactive for a limit, active for an alert, vanished.
    """

    kind: str = column(
        "limit: the provider enforces it; alert: the provider sends e-mail.", isin=KINDS
    )
    project_id: str = column("The project; null for the whole organization.", nullable=True)
    threshold_usd: Usd = column("The threshold.", unit="USD")
    interval: str = column("The period of the threshold: month.", nullable=True)
    recipients: int = column(
        "Number of addresses that the alert is sent to; null for a limit.",
        unit="addresses",
        nullable=True,
    )
