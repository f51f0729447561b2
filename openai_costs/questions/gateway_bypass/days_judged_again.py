"""The days whose keys have to be judged again: the allow-list or the lists of keys are others."""

from collections.abc import Sequence

from openai_costs.kernel.days import DayRange, consecutive
from openai_costs.questions.gateway_bypass.bypass import DESCRIBED, described_otherwise
from openai_costs.questions.gateway_bypass.key_days import KEY_DAY
from openai_costs.questions.gateway_bypass.key_lists import with_allowance
from openai_costs.settings.gateway import AllowedKey
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.gateway_bypass import GatewayBypass

_ALLOWANCE = ("day", "api_key_id", "is_allowed", "allowed_because")
_ALLOWED = f"SELECT DISTINCT {', '.join(_ALLOWANCE)} FROM stored"  # noqa: S608 - our own names
_KEYS = f"SELECT {', '.join((*KEY_DAY, *DESCRIBED))} FROM stored"  # noqa: S608 - our own names


def days_to_judge_again(lake: Lake, allowed: Sequence[AllowedKey]) -> list[DayRange]:
    """Return the days that mart.gateway_bypass would judge otherwise now, whether read or not."""
    return [*days_of_other_allowance(lake, allowed), *days_described_otherwise(lake)]


def days_of_other_allowance(lake: Lake, allowed: Sequence[AllowedKey]) -> list[DayRange]:
    """Return the days of which mart.gateway_bypass does not follow the allow-list of now.

    Findings are about 30 days, and most of these are not read again: without this, a key that was
    allowed today would be reported until the last of its days is too old.
    """
    schema = GatewayBypass.no_rows().select(_ALLOWANCE).schema
    stored = lake.ask(GatewayBypass, _ALLOWED, schema)
    now = with_allowance(stored.select("day", "api_key_id"), allowed).select(_ALLOWANCE)
    return consecutive(stored.join(now, on=_ALLOWANCE, how="anti", nulls_equal=True)["day"])


def days_described_otherwise(lake: Lake) -> list[DayRange]:
    """Return the days of which mart.gateway_bypass does not follow the lists of keys and tokens.

    A key that was deleted or given to another owner, and one that a token names since, are what
    they are now on every day that they spent.
    """
    stored = lake.ask(
        GatewayBypass, _KEYS, GatewayBypass.no_rows().select(*KEY_DAY, *DESCRIBED).schema
    )
    lists = (lake.read(table) for table in (GatewayTokens, ApiKeys, Projects))
    return consecutive(described_otherwise(stored, *lists)["day"])
