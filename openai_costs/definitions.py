"""The code location: what Dagster loads. It reads the environment and openai_costs.toml.

Commands import the graph itself, and build it from the settings of their home.
"""

from openai_costs.graph import build_defs
from openai_costs.settings.load import load_settings
from openai_costs.sources.registry import connection_kinds

defs = build_defs(load_settings(connection_kinds()))
"""Environment and file may both be empty."""
