"""Whose data an asset holds: the connections that a check of it can be about.

A failure that names no connection stands until each of these was looked at again.
"""

import dagster as dg

from openai_costs.orchestration.table_assets import asset_key
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.assets import METER_PAGES, REGISTRY_PAGES
from openai_costs.sources.registry import provider_of
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.gateway_capture import GatewayCapture

OF_GATEWAY = (REGISTRY_PAGES, METER_PAGES, asset_key(GatewaySpend), asset_key(GatewayCapture))
USAGE = asset_key(Usage)


def connections_of(asset: dg.AssetKey, settings: Settings) -> frozenset[str]:
    """Return the connections of the settings, or their gateway, whose data an asset holds."""
    if asset in OF_GATEWAY:
        return frozenset({settings.gateway.name} if settings.gateway.is_there else ())
    return frozenset(one.name for one in settings.connections if _gives(one, asset))


def _gives(connection: Connection, asset: dg.AssetKey) -> bool:
    """Return whether a connection gives something to an asset."""
    provider = provider_of(connection)
    if asset == USAGE:
        return provider.usage_of(connection) is not None
    parts = (provider.costs, provider.usage, provider.organization)
    return asset.path[0] != "raw" or asset in [part.pages.key for part in parts if part]
