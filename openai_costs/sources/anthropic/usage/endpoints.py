"""The reports of usage as data: what is asked, in which groupings.

https://platform.claude.com/docs/en/manage-claude/usage-cost-api
"""

from openai_costs.sources.anthropic.costs.endpoints import analytics, older

DATASET = "usage"

ANALYTICS_USAGE = analytics("usage")
USAGE_REPORT = older("usage_report/messages")

GROUPING = ("workspace_id", "api_key_id", "actor", "model", "service_tier")

OLDER_GROUPING = (
    "workspace_id",
    "api_key_id",
    "account_id",
    "service_account_id",
    "model",
    "service_tier",
)
PLAINER_GROUPING = ("workspace_id", "api_key_id", "model", "service_tier")
"""Without the dimensions that the vendor added last: asked where they are refused."""
