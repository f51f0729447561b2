"""One row for each person: accounts of all vendors joined by e-mail address. Pure.

An account belongs to the person of the company's directory whose address it has, by the same rules
as seats; accounts without such a person are one person where they share an address. Nothing is
guessed from names.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import polars as pl

from openai_costs.questions.matching import Matcher, folded
from openai_costs.settings import Directory
from openai_costs.tables.core.spend import ESTIMATED, METERED
from openai_costs.tables.mart.people import PERSON, SERVICE_ACCOUNT, UNATTRIBUTED, People

ACCOUNT: Final = ["connection", "user_id"]


class Accounts(NamedTuple):
    """What is known of the accounts of all vendors.

    Args:
        users: core.users.
        service_accounts: core.service_accounts.
        billed: connection, provider, user_id, billed_usd, first_day, last_day: sums of
            mart.spend_attribution.
        unbilled: connection, user_id, cost_basis, usd: sums of core.spend.
    """

    users: pl.DataFrame
    service_accounts: pl.DataFrame
    billed: pl.DataFrame
    unbilled: pl.DataFrame


def people(
    accounts: Accounts, engineers: pl.DataFrame, rules: Directory, providers: Mapping[str, str]
) -> pl.DataFrame:
    """Return mart.people. Its billed dollars are those of the attribution.

    Args:
        accounts: The accounts and their dollars.
        engineers: core.engineers.
        rules: How addresses are compared.
        providers: The provider of each connection of the settings.
    """
    owners = _owners(accounts, engineers, rules)
    listed = {row["person_id"]: row for row in engineers.iter_rows(named=True)}
    by_owner = {who: _Person() for who in (*listed, *owners.values())}
    for row in accounts.billed.iter_rows(named=True):
        provider = providers.get(row["connection"], row["provider"])
        by_owner[owners[row["connection"], row["user_id"]]].bill(row, provider)
    for row in accounts.unbilled.iter_rows(named=True):
        by_owner[owners[row["connection"], row["user_id"]]].count(row)
    described = _described(accounts, owners)
    rows = [
        one.row() | _named(who, described.get(who, []), listed.get(who or ""))
        for who, one in by_owner.items()
    ]
    frame = pl.DataFrame(rows, schema=People.types())
    return frame.sort("person_id", nulls_last=True)


class _Person:
    """The dollars of one person, as they are added up."""

    def __init__(self) -> None:
        self.billed: dict[str, Decimal] = {}
        self.other: dict[str, Decimal] = {}
        self.days: list[object] = []

    def bill(self, row: Mapping[str, object], provider: str) -> None:
        """Add billed dollars."""
        self.billed[provider] = self.billed.get(provider, Decimal(0)) + _usd(row["billed_usd"])
        self.days += [row["first_day"], row["last_day"]]

    def count(self, row: Mapping[str, object]) -> None:
        """Add dollars that are not billed to those of their basis."""
        basis = str(row["cost_basis"])
        self.other[basis] = self.other.get(basis, Decimal(0)) + _usd(row["usd"])

    def row(self) -> dict[str, object]:
        """Return the columns of dollars and days."""
        days = sorted(filter(None, self.days), key=str)
        texts = {name: f"{usd.normalize():f}" for name, usd in sorted(self.billed.items()) if usd}
        return {
            "billed_usd": sum(self.billed.values(), Decimal(0)),
            "by_provider": json.dumps(texts),
            "metered_usd": self.other.get(METERED),
            "estimated_usd": self.other.get(ESTIMATED),
            "first_spend_day": days[0] if days else None,
            "last_spend_day": days[-1] if days else None,
        }


def _usd(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(0)


def _owners(
    accounts: Accounts, engineers: pl.DataFrame, rules: Directory
) -> dict[tuple[str, str | None], str | None]:
    """Return whose each account is: a person's id; None for dollars without an account."""
    emails = {(name, who): email for name, who, email in _listed(accounts.users, "email")}
    matcher = Matcher(engineers, rules)
    owners: dict[tuple[str, str | None], str | None] = {}
    of_address: dict[str, str] = {}
    for name, who in _accounts(accounts):
        if who is None:
            owners[name, who] = None
            continue
        address = emails.get((name, who)) or (who if "@" in who else None)
        own = f"{name}/{who}"
        alone = of_address.setdefault(folded(address), own) if address else own
        match = matcher.find(address, who)
        owners[name, who] = match.person_id if match else alone
    return owners


def _accounts(accounts: Accounts) -> list[tuple[str, str | None]]:
    """Return every account that is listed or has dollars, in an order that stays."""
    frames = (accounts.billed, accounts.unbilled)
    spent = {(str(row[0]), row[1]) for one in frames for row in one.select(ACCOUNT).iter_rows()}
    lists = (accounts.users, accounts.service_accounts)
    found = {(name, who) for one in lists for name, who, _ in _listed(one, "name")}
    return sorted({*spent, *found}, key=lambda one: (one[0], one[1] or ""))


def _listed(rows: pl.DataFrame, column: str) -> Iterable[tuple[str, str, str | None]]:
    return rows.select("connection", "id", column).iter_rows()


def _described(
    accounts: Accounts, owners: Mapping[tuple[str, str | None], str | None]
) -> dict[str | None, list[dict[str, object]]]:
    """Return what is known of the accounts of each person."""
    services = {(name, who) for name, who, _ in _listed(accounts.service_accounts, "name")}
    flagged = accounts.users.filter(pl.col("is_service_account").fill_null(value=False))
    services |= {(name, who) for name, who, _ in _listed(flagged, "name")}
    names = {(name, who): text for name, who, text in _listed(accounts.service_accounts, "name")}
    names |= {(name, who): text for name, who, text in _listed(accounts.users, "name") if text}
    emails = {(name, who): email for name, who, email in _listed(accounts.users, "email")}
    found: dict[str | None, list[dict[str, object]]] = {}
    for (name, who), owner in owners.items():
        if who is not None:
            key = (name, who)
            facts = {"id": f"{name}/{who}", "name": names.get(key), "email": emails.get(key)}
            found.setdefault(owner, []).append(facts | {"is_service": key in services})
    return found


def _named(
    who: str | None, accounts: list[dict[str, object]], listed: Mapping[str, object] | None
) -> dict[str, object]:
    """Return the columns that say who a person is: the company's directory first."""
    known = listed or {}
    is_service = bool(accounts) and all(one["is_service"] for one in accounts) and not listed
    kind = SERVICE_ACCOUNT if is_service else PERSON
    of_accounts = {
        column: next((one[column] for one in accounts if one[column]), None)
        for column in ("name", "email")
    }
    return {
        "person_id": who,
        "kind": UNATTRIBUTED if who is None else kind,
        "name": known.get("name") or of_accounts["name"],
        "email": known.get("email") or of_accounts["email"],
        "team": known.get("team"),
        "cost_center": known.get("cost_center"),
        "status": known.get("status", "not_listed"),
        "accounts": ", ".join(str(one["id"]) for one in accounts) or None,
    }
