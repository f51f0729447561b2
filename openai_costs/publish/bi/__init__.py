"""The views for BI tools: classic types only, a comment on everything. As data, not code.

Money is DOUBLE here, because BI tools know no DECIMAL(38,18); core and mart are exact.
"""

from openai_costs.publish.bi.budgets import BUDGETS
from openai_costs.publish.bi.dictionary import DICTIONARY
from openai_costs.publish.bi.directory import DIRECTORY
from openai_costs.publish.bi.findings import FINDINGS_AND_ANOMALIES
from openai_costs.publish.bi.governance import GOVERNANCE
from openai_costs.publish.bi.spend import SPEND
from openai_costs.publish.bi.usage import USAGE
from openai_costs.publish.bi.view import View

__all__ = ["VIEWS", "View"]

VIEWS: tuple[View, ...] = (
    *SPEND,
    *USAGE,
    *DIRECTORY,
    *BUDGETS,
    *FINDINGS_AND_ANOMALIES,
    *GOVERNANCE,
    DICTIONARY,
)
