"""To whom each dollar of the ledger is assigned, and by which method. Pure.

The user that the provider names, the key's owner, a share by tokens, or no one: see
docs/attribution.md. Not here: the names of users and projects (names.py), the sum by user
(breakdown.py).
"""

from collections.abc import Sequence

import polars as pl

from openai_costs.kernel.sorting import in_order
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.spend.names import OF_KEY, Directory, owners, with_names, with_team
from openai_costs.questions.spend.shares import POOL, holders, pools, shared_out
from openai_costs.questions.spend.user_view import LINE, named_lines
from openai_costs.settings import Team
from openai_costs.tables.mart.spend_attribution import SpendAttribution

CUT = [name for name in LINE if name != "billed_usd"]
METHOD = ["attribution", "pool", "share_pct"]
SLICE = ["connection", "day"]


def attribution(
    ledger: pl.DataFrame,
    view: pl.DataFrame,
    usage: pl.DataFrame,
    directory: Directory,
    teams: Sequence[Team],
) -> pl.DataFrame:
    """Return mart.spend_attribution from core.spend rows of any number of days.

    Args:
        ledger: core.spend. Its sum is the result's sum, whatever the others say.
        view: core.spend_by_user of the same days.
        usage: core.usage of the same days.
        directory: The directory as it stands.
        teams: The teams of the settings.
    """
    owned = owners(directory)
    lines = named_lines(ledger, view, _held(ledger, usage, owned))
    assigned = _assigned(lines, owned, pools(usage, owned), _without_projects(ledger))
    summed = assigned.group_by(*CUT, *METHOD).agg(pl.col("billed_usd").sum())
    columns = list(SpendAttribution.types())
    explained = with_team(with_names(summed.filter(pl.col("billed_usd") != 0), directory), teams)
    return in_order(explained.select(columns), SpendAttribution.Config.unique)


def _held(ledger: pl.DataFrame, usage: pl.DataFrame, owned: pl.DataFrame) -> pl.DataFrame:
    """Return whose each key of the ledger is: the user that usage names, or else the owner."""
    keys = ledger.select(*SLICE, "api_key_id").unique()
    known = keys.join(holders(usage), on=[*SLICE, "api_key_id"], how="left")
    known = known.join(owned, on=OF_KEY, how="left")
    return known.select(*SLICE, "api_key_id", holder=pl.coalesce("holder", "owner_id"))


def _without_projects(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the slices of organizations that use no projects: connection, day."""
    has_none = pl.col("project_id").is_null().all()
    return ledger.group_by(SLICE).agg(has_none=has_none).filter("has_none").select(SLICE)


def _assigned(
    lines: pl.DataFrame, owned: pl.DataFrame, tokens: pl.DataFrame, projectless: pl.DataFrame
) -> pl.DataFrame:
    """Return lines with attribution, pool and share_pct, by the first method that applies."""
    owned_lines = lines.join(owned, on=OF_KEY, how="left").with_columns(
        attribution=pl.when(pl.col("user_id").is_not_null())
        .then(pl.lit("direct"))
        .when(pl.col("owner_id").is_not_null())
        .then(pl.lit("key_owner")),
        user_id=pl.coalesce("user_id", "owner_id"),
    )
    is_known = pl.col("attribution").is_not_null()
    return pl.concat(
        [owned_lines.filter(is_known), _shared(owned_lines.filter(~is_known), tokens, projectless)],
        how="diagonal",
    ).select(*LINE, *METHOD)


def _shared(lines: pl.DataFrame, tokens: pl.DataFrame, projectless: pl.DataFrame) -> pl.DataFrame:
    """Return lines without a user, shared by tokens where their pool has some.

    The share of tokens without a user stays unattributed, as do lines without a pool.
    """
    summed = lines.group_by(CUT).agg(pl.col("billed_usd").sum()).drop("user_id")
    alone = projectless.with_columns(pool=pl.lit("organization"))
    pooled = summed.join(alone, on=SLICE, how="left").with_columns(
        model_name=canonical_model(),
        pool=pl.when(pl.col("project_id").is_not_null()).then(pl.lit("project")).otherwise("pool"),
    )
    shares = shared_out(pooled, tokens, POOL)
    others = pooled.join(tokens, on=POOL, how="anti", nulls_equal=True).drop("pool")
    has_user = pl.col("user_id").is_not_null()
    method = pl.when(has_user).then(pl.lit("allocated")).otherwise(pl.lit("unattributed"))
    return pl.concat([shares, others], how="diagonal").with_columns(attribution=method)
