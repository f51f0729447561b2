"""Every path we may GET. Nothing outside this list is ever asked."""

from openai_costs.errors import MANAGEMENT_SCOPE
from openai_costs.sources.openai.directory.endpoints import ALLOWED_PATTERNS
from openai_costs.sources.openai.endpoints import COSTS
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS

ALLOWED: dict[str, tuple[str, ...]] = {
    "full": (COSTS.path, *(one.path for one in USAGE_ENDPOINTS), *ALLOWED_PATTERNS),
    "costs_only": (COSTS.path,),
}
"""Patterns that a path below the base URL must match in full, by a connection's access."""

SCOPES: dict[str, str] = dict.fromkeys(ALLOWED_PATTERNS, MANAGEMENT_SCOPE)
"""The scope a pattern needs, where it is not the one that costs and usage need."""
