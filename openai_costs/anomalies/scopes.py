"""What the settings say of the detector, as it wants to know it. Pure.

Knobs are floats: they bound statistics and are never booked.
"""

from openai_costs.anomalies.knobs import Knobs
from openai_costs.anomalies.series import LEVELS_APART
from openai_costs.anomalies.spend_series import WHOLE, level_called
from openai_costs.sections import Anomalies, AnomalyScope


def knobs_for_all(said: Anomalies) -> Knobs:
    """Return the knobs of every series without its own."""
    return Knobs(
        sensitivity=said.sensitivity,
        minimum_usd=float(said.minimum_usd),
        minimum_share=float(said.minimum_pct) / 100,
        minimum_growth=float(said.minimum_growth_pct) / 100,
        newcomer_usd=float(said.newcomer_usd),
    )


def knobs_by_scope(said: Anomalies, connection: str) -> dict[str, Knobs]:
    """Return the knobs of some series or levels of a connection, as the detector names them."""
    scopes = [one for one in said.scopes if one.connection in ("*", connection)]
    return {_series(one.scope, connection): _over(said, one) for one in scopes}


def _series(scope: str, connection: str) -> str:
    """`api_key:key_1` is the detector's `key:key_1`; an organization has one series."""
    kind, apart, name = scope.partition(LEVELS_APART)
    level = level_called(kind)
    if level == WHOLE:
        return WHOLE if name in ("", connection) else scope
    return f"{level}{apart}{name}"


def _over(said: Anomalies, scope: AnomalyScope) -> Knobs:
    own = scope.model_dump(include=set(Anomalies.model_fields), exclude_none=True)
    return knobs_for_all(said.model_copy(update=own))
