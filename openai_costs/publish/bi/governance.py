"""The views of governance: keys round the gateway, bill beside meter, seats. No e-mail address."""

from openai_costs.publish.bi.view import mirrored
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.seats import Seats

GOVERNANCE = (
    mirrored("gateway_bypass", GatewayBypass),
    mirrored("reconciliation", CostReconciliation),
    mirrored("seats", Seats, without=("email",)),
)
