"""The views that show a mart as it is: savings, prices, restatements, gateway, seats. No e-mail."""

from typing import Final

from openai_costs.outputs.publish.bi.view import mirrored, with_is_connected
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.seats import Seats

_LINE: Final = {"model": None, "usage_type": None}

MONEY_MARTS: Final = (
    mirrored(
        "optimization",
        Optimization,
        "What could we save, and how was that computed?",
        labels={"subject_name": "subject", "model": None},
    ),
    with_is_connected(
        mirrored(
            "price_check",
            PriceCheck,
            "Does the bill agree with the list prices?",
            labels={"line_item": None, **_LINE, "service_tier": None},
        )
    ),
    with_is_connected(
        mirrored("restatements", Restatements, "Which settled days did the provider change later?")
    ),
)
GATEWAY: Final = (
    with_is_connected(
        mirrored(
            "gateway_bypass",
            GatewayBypass,
            "Which spend bypassed the gateway, through whose key?",
            labels={"key_name": "api_key_id", "owner": "owner_id", "project_name": "project_id"},
        )
    ),
    with_is_connected(
        mirrored(
            "reconciliation",
            CostReconciliation,
            "Why do bill and gateway differ?",
            without=("judged_by",),
            labels=_LINE,
        )
    ),
    mirrored(
        "seats",
        Seats,
        "Who holds a seat, and is it used?",
        without=("email",),
        labels={"name": "user_id", "team": None},
    ),
)
