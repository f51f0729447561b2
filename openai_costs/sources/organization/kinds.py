"""The tables of an organization as data: what distinguishes two things, and what a status means.

Pure. A thing that is in no list any more is `vanished`, unless what it was by then says more.
"""

from dataclasses import dataclass

import polars as pl

from openai_costs.tables.contract import Contract
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.project_members import ProjectMembers
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs.tables.entity import Known

VANISHED = "vanished"
NOT_LISTED = "not_listed"
AS_OF = "as_of"
"""When a status is judged: the newest list, or the first that did not have the thing any more."""

_STATUS = pl.col("status")
_REPORTED = pl.coalesce(_STATUS, pl.lit("active"))
_IS_OVER = pl.col("expires_at") <= pl.col(AS_OF)
_EXPIRES = pl.when(_IS_OVER).then(pl.lit("expired")).otherwise(_REPORTED)
_ARCHIVED = pl.when(pl.col("archived_at").is_not_null()).then(pl.lit("archived"))
_INVITED = pl.coalesce(_STATUS, pl.lit("pending"))
_PENDING = pl.when((_INVITED == "pending") & _IS_OVER).then(pl.lit("expired")).otherwise(_INVITED)


@dataclass(frozen=True)
class Kind:
    """One table of an organization.

    Args:
        table: Its contract.
        status: What a thing is by what its last entry says, as of `AS_OF`.
        lasting: Statuses that say more than that the thing has vanished.
        key: What distinguishes two things of a connection.
        ledger: Where ids of its things stand besides the lists: the table and its column.
        known_from: Another table that may know such an id.
        may_empty: Whether its things come and go, so that half of them going is nothing odd.
        is_never_empty: Whether there is always one: an empty list of them is never believed.
    """

    table: type[Known]
    status: pl.Expr = _REPORTED
    lasting: tuple[str, ...] = ()
    key: tuple[str, ...] = ("id",)
    ledger: tuple[tuple[type[Contract], str], ...] = ()
    known_from: type[Known] | None = None
    may_empty: bool = False
    is_never_empty: bool = False


KINDS: tuple[Kind, ...] = (
    Kind(
        Projects,
        status=pl.coalesce(_STATUS, _ARCHIVED, pl.lit("active")),
        lasting=("archived",),
        ledger=((Spend, "project_id"), (Usage, "project_id")),
        is_never_empty=True,
    ),
    Kind(
        ApiKeys,
        status=_EXPIRES,
        lasting=("archived", "expired"),
        ledger=((Spend, "api_key_id"), (Usage, "api_key_id")),
    ),
    Kind(ServiceAccounts),
    Kind(
        Users,
        ledger=((SpendByUser, "user_id"), (Usage, "user_id")),
        known_from=ServiceAccounts,
        is_never_empty=True,
    ),
    Kind(
        Invites,
        status=_PENDING,
        lasting=("accepted", "expired"),
        may_empty=True,
    ),
    Kind(AdminKeys, status=_EXPIRES, lasting=("expired",)),
    Kind(ProjectMembers, key=("project_id", "id")),
    Kind(SpendLimits),
)
"""Service accounts before users: the ledger names both as users."""

OWNED: tuple[Kind, ...] = tuple(one for one in KINDS if one.table in (Projects, ApiKeys))
"""Things that belong to one organization and to no other."""
