"""One person across providers: one row, joined by address, tied out to the attribution."""

import json
from datetime import date
from decimal import Decimal

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.people.people import Accounts, people
from openai_costs.settings import Directory
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.people import People

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 20)
PROVIDERS = {"acme": "openai", "claude": "anthropic", "chat": "chatgpt_workspace"}
Spent = tuple[str, str | None, str]


def users(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    """Users as (connection, id, address)."""
    blank = dict.fromkeys(Users.types())
    seen = {"status": "active", "first_seen_day": FIRST, "last_seen_day": LAST, "is_current": True}
    known = [
        blank | seen | {"connection": name, "id": who, "email": email, "name": who.title()}
        for name, who, email in rows
    ]
    return pl.DataFrame(known, schema=Users.types())


def engineers(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """The company's people as (id, address, aliases)."""
    blank = dict.fromkeys(Engineers.types()) | {"status": "active", "is_trusted": True}
    known = [
        blank | {"person_id": who, "email": email, "aliases": aliases, "team": "search"}
        for who, email, aliases in rows
    ]
    return pl.DataFrame(known, schema=Engineers.types())


def billed(*rows: Spent) -> pl.DataFrame:
    schema = ["connection", "provider", "user_id", "billed_usd", "first_day", "last_day"]
    known = [(name, "maker", who, Decimal(usd), FIRST, LAST) for name, who, usd in rows]
    types = dict.fromkeys(schema[:3], pl.String) | {schema[3]: MONEY}
    return pl.DataFrame(known, schema=types | dict.fromkeys(schema[4:], pl.Date), orient="row")


def unbilled(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    schema = {"connection": pl.String, "user_id": pl.String, "cost_basis": pl.String, "usd": MONEY}
    known = [(name, who, basis, Decimal(usd)) for name, who, basis, usd in rows]
    return pl.DataFrame(known, schema=schema, orient="row")


def joined(
    listed: pl.DataFrame, spent: pl.DataFrame, *more: pl.DataFrame, of: pl.DataFrame | None = None
) -> list[dict[str, object]]:
    services, others = (*more, None, None)[:2]
    accounts = Accounts(
        listed,
        ServiceAccounts.no_rows() if services is None else services,
        spent,
        unbilled() if others is None else others,
    )
    found = people(accounts, engineers() if of is None else of, Directory(), PROVIDERS)
    assert not People.broken_rules(found)
    assert found["billed_usd"].sum() == spent["billed_usd"].sum()
    for row in found.iter_rows(named=True):
        parts = json.loads(row["by_provider"]).values()
        assert sum(map(Decimal, parts), Decimal(0)) == row["billed_usd"]
    return found.rows(named=True)


ANN = (("acme", "user_1", "Ann@Acme.example"), ("claude", "user_2", "ann@acme.example "))


def test_accounts_of_two_vendors_with_one_address_are_one_person() -> None:
    spent = billed(("acme", "user_1", "1.5"), ("claude", "user_2", "20"))
    (ann,) = joined(users(*ANN), spent)
    assert (ann["billed_usd"], ann["kind"]) == (Decimal("21.5"), "person")
    assert json.loads(str(ann["by_provider"])) == {"anthropic": "20", "openai": "1.5"}
    assert ann["accounts"] == "acme/user_1, claude/user_2"
    assert ann["person_id"] == "acme/user_1"


def test_the_company_knows_an_alias_and_gives_its_own_id_and_team() -> None:
    of = engineers(
        ("e7", "ann@acme.example", "a.field@acme.example"), ("e8", "bo@acme.example", "")
    )
    listed = users(ANN[0], ("claude", "user_2", "A.Field@acme.example"))
    spent = billed(("acme", "user_1", "1.5"), ("claude", "user_2", "20"))
    ann, bo = joined(listed, spent, of=of)
    assert (ann["person_id"], ann["team"], ann["billed_usd"]) == ("e7", "search", Decimal("21.5"))
    assert (bo["person_id"], bo["billed_usd"], bo["accounts"]) == ("e8", 0, None)


def test_unattributed_dollars_are_a_row_and_so_is_a_service_account() -> None:
    blank = dict.fromkeys(ServiceAccounts.types()) | {"connection": "acme", "id": "svc_1"}
    seen = {"status": "active", "first_seen_day": FIRST, "last_seen_day": LAST, "is_current": True}
    services = pl.DataFrame([blank | seen | {"name": "CI"}], schema=ServiceAccounts.types())
    spent = billed(("acme", None, "3"), ("claude", None, "4"), ("acme", "svc_1", "5"))
    service, rest = joined(users(), spent, services)
    assert (service["kind"], service["name"], service["billed_usd"]) == ("service_account", "CI", 5)
    assert (rest["kind"], rest["person_id"], rest["billed_usd"]) == ("unattributed", None, 7)


def test_accounts_without_an_address_are_not_guessed_together() -> None:
    spent = billed(("acme", "ann", "1"), ("claude", "ann", "2"))
    found = joined(users(("acme", "ann", None)), spent)
    assert [(row["person_id"], row["billed_usd"]) for row in found] == [
        ("acme/ann", 1),
        ("claude/ann", 2),
    ]


def test_dollars_that_are_not_billed_stand_beside_the_bill_and_are_not_added() -> None:
    listed = users(ANN[0], ("chat", "user_9", "ann@acme.example"))
    others = unbilled(("chat", "user_9", "estimated", "7.25"))
    (ann,) = joined(listed, billed(("acme", "user_1", "1")), ServiceAccounts.no_rows(), others)
    assert (ann["billed_usd"], ann["estimated_usd"], ann["metered_usd"]) == (
        1,
        Decimal("7.25"),
        None,
    )
