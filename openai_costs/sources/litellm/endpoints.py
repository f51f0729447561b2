"""What of a proxy's API a connection asks: the daily sums, and whether the key sees all of them.

The endpoints themselves are described once, with the gateway that asks them too.
"""

from openai_costs.kernel.errors import Permission
from openai_costs.sources.api_transport import Vendor
from openai_costs.sources.gateway.litellm.endpoints import DAILY, WHOLE_VIEW
from openai_costs.sources.gateway.litellm.partial_answers import NO_DATABASE, NO_VIEW
from openai_costs.sources.http.api import Api

NAME = "litellm"
DATASET = "costs"
ALLOWED = (DAILY.path, *WHOLE_VIEW)

VENDOR = Vendor(
    "LiteLLM",
    Api(
        requests_per_minute=120,
        permission=Permission(
            "Daily sums need a LiteLLM key of a proxy admin, or of the role proxy_admin_viewer."
        ),
    ),
    dict.fromkeys(("full", "costs_only"), ALLOWED),
    root="",
    sample_root="",
    hopeless=(*NO_DATABASE, *NO_VIEW),
)
