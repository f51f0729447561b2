"""What holds for any ledger, user view, usage and directory, however little they agree."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.breakdown import by_project_key_model, by_user
from openai_costs.settings import Team
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.examples import examples
from openai_costs_tests.org import WIDE, day
from openai_costs_tests.questions.spend.acme import ACME, PLAIN, RICH, directory, item, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_costs.questions.spend.names import Directory

Line = dict[str, Any]
Sums = dict[tuple[Any, ...], Decimal]

maybe = st.none() | st.sampled_from(["x", "y", "z"])
slices = st.sampled_from([("acme", day(1)), ("acme", day(2)), ("bolt", day(1))])
charges = st.decimals(0, 10**6, allow_nan=False, places=18)
amounts = st.one_of(charges, st.decimals(-(10**6), 10**6, allow_nan=False, places=18))
models = st.sampled_from(["gpt-5", "ft-gpt-4o", None])
owned = st.dictionaries(st.sampled_from("xyz"), st.none() | st.sampled_from("xyz"))
known = st.builds(lambda keys: directory(keys=keys), owned)
TEAMS: Final = (
    Team(name="keys", api_keys=("x",)),
    Team(name="people", users=("y",)),
    Team(name="others", users=("z",), projects=("x",)),
)
ULPS: Final = Decimal("1E-15")
SLICE: Final = ("connection", "day")
ITEM: Final = (*SLICE, "model", "usage_type")
GRAIN: Final = (*ITEM, "line_item", "project_id", "api_key_id", "user_id", "provider", "grouping")


def lines(usd: st.SearchStrategy[Decimal], grouping: str | None = None) -> Any:  # noqa: ANN401 - hypothesis' own type
    def made(at: tuple[str, Any], who: tuple[Any, ...], label: Line, read_by: str) -> Line:
        project, key, user = who
        named = {"project_id": project, "api_key_id": key, "grouping": read_by}
        seen = user if read_by == RICH else None
        return ACME | dict(zip(SLICE, at, strict=True)) | label | named | {"user_id": seen}

    labels = st.builds(lambda model, one: item(model, str(one)), models, usd)
    groupings = st.just(grouping) if grouping else st.sampled_from([RICH, PLAIN])
    line = st.builds(made, slices, st.tuples(maybe, maybe, maybe), labels, groupings)
    return st.lists(line, max_size=12)


def used_by(who: tuple[Any, ...]) -> Line:
    at, model, project, key, user, tokens = who
    named = {"project_id": project, "api_key_id": key, "user_id": user, "input_tokens": tokens}
    return ACME | dict(zip(SLICE, at, strict=True)) | {"model": model} | named


tokens = st.none() | st.integers(0, 10**12)
usages = st.lists(
    st.tuples(slices, models, maybe, maybe, maybe, tokens).map(used_by), max_size=12
).map(lambda found: rows(Usage, found))


def summed(table: Any, said: Iterable[Line]) -> pl.DataFrame:  # noqa: ANN401 - a contract
    """The lines as a table without a key twice."""
    frame = rows(Ledger, said)
    grain = [name for name in GRAIN if name in table.types()]
    one_by_one = frame.group_by(grain).agg(pl.col("billed_usd").sum())
    nulls = [pl.lit(None, kind).alias(name) for name, kind in table.types().items()]
    others = [one for one in nulls if one.meta.output_name() not in one_by_one.columns]
    return one_by_one.with_columns(others).select(list(table.types()))


def sums(frame: pl.DataFrame, *by: str) -> Sums:
    """Exact sums by another road than the package's; nothing is said of zero."""
    found: Sums = defaultdict(Decimal)
    for *key, usd in frame.select(*by, "billed_usd").iter_rows():
        found[tuple(key)] = WIDE.add(found[tuple(key)], usd)
    return {key: usd for key, usd in found.items() if usd}


@settings(max_examples=examples(12), deadline=None)
@given(lines(amounts), lines(amounts, RICH), usages, known)
def test_every_dollar_is_there_once_whatever_the_others_say(
    spent: list[Line], seen: list[Line], used: pl.DataFrame, listed: Directory
) -> None:
    ledger, view = summed(Ledger, spent), summed(UserView, seen)
    found = attribution(ledger, view, used, listed, ())
    assert sums(found, *ITEM) == sums(ledger, *ITEM)
    by_project = by_project_key_model(ledger, found, listed)
    for cut in (by_user(found), by_project):
        assert sums(cut, *ITEM) == sums(ledger, *ITEM)
    assert SpendAttribution.broken_rules(found) == []
    assert SpendByUser.broken_rules(by_user(found)) == []
    assert Spend.broken_rules(by_project) == []


@settings(max_examples=examples(16), deadline=None)
@given(lines(amounts), lines(amounts, RICH), usages, known)
def test_a_team_has_the_same_dollars_by_project_and_by_person_whatever_the_others_say(
    spent: list[Line], seen: list[Line], used: pl.DataFrame, listed: Directory
) -> None:
    ledger, view = summed(Ledger, spent), summed(UserView, seen)
    found = attribution(ledger, view, used, listed, TEAMS)
    by_project = by_project_key_model(ledger, found, listed)
    of_team = (*ITEM, "provider", "team")
    assert sums(by_project, *of_team) == sums(found, *of_team) == sums(by_user(found), *of_team)
    of_key = (*ITEM, "provider", "project_id", "api_key_id")
    assert sums(by_project, *of_key) == sums(ledger, *of_key)
    assert Spend.broken_rules(by_project) == []


@settings(max_examples=examples(12), deadline=None)
@given(lines(charges), lines(charges, RICH), usages, known)
def test_a_split_by_team_of_charges_has_no_credits(
    spent: list[Line], seen: list[Line], used: pl.DataFrame, listed: Directory
) -> None:
    ledger = summed(Ledger, spent)
    found = attribution(ledger, summed(UserView, seen), used, listed, TEAMS)
    assert (by_project_key_model(ledger, found, listed)["billed_usd"] >= -ULPS).all()


@settings(max_examples=examples(12), deadline=None)
@given(lines(charges), lines(charges, RICH), usages, known)
def test_charges_make_no_credits_and_no_key_has_more_than_its_dollars(
    spent: list[Line], seen: list[Line], used: pl.DataFrame, listed: Directory
) -> None:
    ledger = summed(Ledger, spent)
    found = attribution(ledger, summed(UserView, seen), used, listed, ())
    assert (found["billed_usd"] > 0).all()
    of_key = (*ITEM, "project_id", "api_key_id")
    billed = sums(ledger, *of_key)
    keyed = found.filter(pl.col("api_key_id").is_not_null())
    assert all(usd <= billed[key] for key, usd in sums(keyed, *of_key).items())


@settings(max_examples=examples(12), deadline=None)
@given(lines(amounts, RICH), usages, known)
def test_a_user_has_the_dollars_that_the_user_view_gives(
    spent: list[Line], used: pl.DataFrame, listed: Directory
) -> None:
    view = summed(UserView, spent)
    ledger = summed(Ledger, (one | {"user_id": None, "grouping": PLAIN} for one in spent))
    found = attribution(ledger, view, used, listed, ())
    of_users = view.filter(pl.col("user_id").is_not_null())
    direct = found.filter(attribution="direct")
    assert sums(direct, *ITEM, "user_id") == sums(of_users, *ITEM, "user_id")


@settings(max_examples=examples(12), deadline=None)
@given(lines(charges, RICH), usages)
def test_where_users_spend_with_their_own_keys_the_view_gives_what_the_ledger_would(
    spent: list[Line], used: pl.DataFrame
) -> None:
    own = [
        one | {"connection": "acme", "api_key_id": one["user_id"], "project_id": one["user_id"]}
        for one in spent
    ]
    listed = directory(keys={name: name for name in "xyz"})
    without = (one | {"user_id": None, "grouping": PLAIN} for one in own)
    nobodys = used.with_columns(user_id=pl.lit(None, pl.String))
    told = (summed(UserView, own), nobodys, listed, ())
    there = attribution(summed(Ledger, own), *told)
    assert there.equals(attribution(summed(Ledger, without), *told))


@settings(max_examples=examples(8), deadline=None)
@given(lines(amounts), lines(amounts, RICH), usages, known)
def test_the_order_of_rows_and_the_other_days_do_not_matter(
    spent: list[Line], seen: list[Line], used: pl.DataFrame, listed: Directory
) -> None:
    ledger, view = summed(Ledger, spent), summed(UserView, seen)
    whole = attribution(ledger, view, used, listed, ())
    turned = attribution(ledger.reverse(), view.reverse(), used.reverse(), listed, ())
    assert whole.equals(turned)
    first = pl.col("day") == day(1)
    alone = attribution(ledger.filter(first), view, used, listed, ())
    assert whole.filter(first).equals(alone)
