"""Spend limits and alerts set at the provider."""

from openai_costs.tables.contract import Usd, column
from openai_costs.tables.entity import Known

KINDS = ("limit", "alert")


class SpendLimits(Known):
    """Spend limits and alerts set at the provider.

    One row per connection and limit or alert. The provider writes thresholds in cents; here they
    are dollars. A limit has no id of its own: `spend_limit` is the organisation's, with the
    project's id behind a dot a project's. The people an alert is sent to are counted, never named.
    Status: enforcing or inactive for a limit, active for an alert, vanished.
    """

    kind: str = column("limit: the provider enforces it; alert: it sends mail.", isin=KINDS)
    project_id: str = column("The project; null for the whole organisation.", nullable=True)
    threshold_usd: Usd = column("The threshold.", unit="USD")
    interval: str = column("The period it is for: month.", nullable=True)
    recipients: int = column(
        "How many addresses an alert is sent to; null for a limit.", unit="addresses", nullable=True
    )
