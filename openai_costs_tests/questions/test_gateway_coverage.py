"""Registries that lose, regain, rename and reassign tokens, pauses, and a plain model of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.questions.gateway_bypass.bypass import Activity, bypass
from openai_costs.questions.reconciliation.pools import PARTS
from openai_costs.questions.reconciliation.reconcile import Sides, reconciliation
from openai_costs.settings import Gateway, Upstream
from openai_costs.sources.gateway.listing import Listing, TokenRow
from openai_costs.sources.gateway.registry import tokens as registered
from openai_costs.sources.gateway.unlisted_tokens import MeteredToken, with_unlisted
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs_tests.examples import examples
from openai_costs_tests.questions.reconciliation.sides import (
    DAY,
    bill,
    counted,
    line,
    meter,
    sides,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTH = 9
KEYS = ("key_a", "key_b", "key_c")
TOKENS = ("tok_x", "tok_y")
METERED_USD, OUTSIDE_USD = Decimal(3), Decimal(30)
MILLION = 1_000_000


class State(NamedTuple):
    """What a token is called on a day, and which key it sends requests with."""

    name: str
    key: str


@dataclass
class Life:
    """What happened on some days, and on which of them the registry was read.

    Args:
        states: The state of each token on each day; None where there is no such token.
        read: The days on which the registry was read.
        used: The tokens and days with a request, of those that there are.
        outside: The keys and days with spend that did not go through the gateway.
    """

    states: dict[str, list[State | None]]
    read: set[int]
    used: set[tuple[str, int]] = field(default_factory=set)
    outside: set[tuple[str, int]] = field(default_factory=set)

    @property
    def requests(self) -> list[tuple[str, int, State]]:
        """The token, day and state of each request."""
        found = ((token, day, self.states[token][day]) for token, day in sorted(self.used))
        return [(token, day, state) for token, day, state in found if state]

    @property
    def dollars(self) -> dict[tuple[str, int], Decimal]:
        """What each key was billed on each day."""
        found: dict[tuple[str, int], Decimal] = {}
        for _, day, state in self.requests:
            found[state.key, day] = found.get((state.key, day), Decimal(0)) + METERED_USD
        for one in self.outside:
            found[one] = found.get(one, Decimal(0)) + OUTSIDE_USD
        return found

    def listed(self, token: str) -> list[tuple[int, str]]:
        """The days on which a reading has a token, and its key."""
        of_days = ((day, self.states[token][day]) for day in sorted(self.read))
        return [(day, state.key) for day, state in of_days if state]

    def keys_of(self, token: str, day: int) -> set[str]:
        """The keys that a token may have had on a day, as far as the readings say."""
        listed = self.listed(token)
        before = [one for one in listed if one[0] <= day][-1:]
        after = [one for one in listed if one[0] >= day][:1]
        if before and not after and any(before[0][0] < read <= day for read in self.read):
            return set()
        if before and before[0][0] == day:
            return {before[0][1]}
        return {key for _, key in (*before, *after)}

    def keys_metered(self, day: int) -> set[str]:
        """The keys that the meter is sure of on a day."""
        found = set()
        for token, when, _ in self.requests:
            keys = self.keys_of(token, day) or {key for _, key in self.listed(token)[-1:]}
            if when == day and len(keys) == 1:
                found |= keys
        return found

    def is_covered(self, key: str, day: int) -> bool:
        """Whether a list, or the meter of the day, says that a key is the gateway's."""
        named = set[str]().union(*(self.keys_of(token, day) for token in self.states))
        return key in named | self.keys_metered(day)


def on(number: int) -> date:
    return DAY + timedelta(days=number)


def states(names: Sequence[str]) -> st.SearchStrategy[list[State | None]]:
    """Stretches of days on which a token is the same."""
    state = st.none() | st.builds(State, st.sampled_from(names), st.sampled_from(KEYS))
    stretches = st.lists(st.tuples(state, st.integers(1, 4)), min_size=LENGTH, max_size=LENGTH)
    return stretches.map(lambda some: [one for one, days in some for _ in range(days)][:LENGTH])


of_days = st.integers(0, LENGTH - 1)
lives = st.builds(
    Life,
    st.fixed_dictionaries({token: states((token, "svc")) for token in TOKENS}),
    st.sets(of_days, min_size=1),
    st.sets(st.tuples(st.sampled_from(TOKENS), of_days)),
    st.sets(st.tuples(st.sampled_from(KEYS), of_days), max_size=6),
)


def seen(life: Life, upstreams: Sequence[Upstream] = ()) -> Sides:
    """The bill, the meter and the registry of a life."""
    listings = [
        Listing(
            on(day),
            "token_metadata",
            [
                TokenRow(token, name=state.name, openai_api_key_id=state.key)
                for token, every in life.states.items()
                if (state := every[day])
            ],
        )
        for day in sorted(life.read)
    ]
    listed = registered("gateway", listings, upstreams, ApiKeys.no_rows())
    metered: dict[str, MeteredToken] = {}
    for token, day, state in life.requests:
        first = metered[token].first if token in metered else on(day)
        metered[token] = MeteredToken(token, state.name, first, on(day))
    known = with_unlisted(listed, "gateway", metered.values(), upstreams)
    assert GatewayTokens.broken_rules(known) == []
    lines = (
        line("output", str(usd), int(usd * MILLION), api_key_id=key, day=on(day))
        for (key, day), usd in life.dollars.items()
    )
    calls = (
        counted(str(METERED_USD), 0, 0, int(METERED_USD * MILLION), token_id=token, day=on(day))
        for token, day, _ in life.requests
    )
    return sides(bill(*lines), meter(*calls), known)


def judged(given: Sides, gateway: Gateway) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both tables, after what is true of them whatever the registry says."""
    compared = reconciliation(given, gateway, [on(day) for day in range(LENGTH)])
    assert CostReconciliation.broken_rules(compared) == []
    assert compared.filter(pl.sum_horizontal(PARTS) != pl.col("gap_usd")).is_empty()
    assert compared["billed_usd"].sum() == given.ledger["billed_usd"].sum()
    assert compared["metered_usd"].sum() == given.meter["metered_usd"].sum()
    of_key = ("day", "project_id", "api_key_id", "model", "usage_type")
    is_keyed = pl.col("api_key_id").is_not_null()
    assert not compared.filter(is_keyed).select(of_key).is_duplicated().any()
    activity = Activity(
        ledger=given.ledger,
        usage=given.usage,
        meter=given.meter,
        reconciliation=compared,
        tokens=given.tokens,
        keys=given.keys,
        projects=Projects.no_rows(),
    )
    listed = bypass(activity, gateway)
    assert GatewayBypass.broken_rules(listed) == []
    return compared, listed


@settings(max_examples=examples(30), deadline=None)
@given(lives)
def test_a_key_is_the_gateways_on_the_days_that_a_list_or_the_meter_says_so(life: Life) -> None:
    named = {token for token in TOKENS if life.listed(token)}
    life.used = {one for one in life.used if one[0] in named}  # of others only the alias is known
    compared, listed = judged(seen(life), Gateway())
    bypassing = {(on(day), key) for key, day in life.dollars if not life.is_covered(key, day)}
    unnamed = listed.filter(pl.col("reason") != "unmetered")
    assert set(unnamed.select("day", "api_key_id").rows()) == bypassing
    gaps = compared.filter(pl.col("bypass_usd") != 0)
    assert set(gaps.select("day", "api_key_id").rows()) == bypassing
    assert unnamed["at_risk_usd"].sum() == gaps["bypass_usd"].sum()


@settings(max_examples=examples(30), deadline=None)
@given(lives)
def test_what_went_through_the_gateway_is_at_risk_on_no_day_where_each_key_was_read_once(
    life: Life,
) -> None:
    for every in life.states.values():
        starts = [d for d in range(LENGTH) if d == 0 or every[d] != every[d - 1]]
        for start, end in zip(starts, [*starts[1:], LENGTH], strict=True):
            if life.read.isdisjoint(range(start, end)):
                life.read.add(start)
    life.outside = set()
    _, listed = judged(seen(life), Gateway())
    assert listed.is_empty()


@settings(max_examples=examples(20), deadline=None)
@given(lives, st.sampled_from(KEYS), st.sampled_from(("*", "svc", "tok_x", "none")))
def test_both_sides_are_there_once_and_tie_whatever_settings_declare(
    life: Life, key: str, pattern: str
) -> None:
    upstream = Upstream(connection="acme", api_key_id=key, tokens=(pattern,))
    judged(seen(life, [upstream]), Gateway(upstreams=(upstream,)))


@settings(max_examples=examples(20), deadline=None)
@given(lives, st.sets(st.sampled_from(KEYS)), st.sets(of_days))
def test_both_sides_are_there_once_and_tie_where_requests_without_a_token_use_a_pool(
    life: Life, keys: set[str], nameless: set[int]
) -> None:
    upstreams = tuple(Upstream(connection="acme", api_key_id=key) for key in sorted(keys))
    known = seen(life, upstreams)
    requests = meter(*(counted("3", 0, 0, 3 * MILLION, token_id=None, day=on(d)) for d in nameless))
    both = replace(known, meter=pl.concat([known.meter, requests]))
    compared, _ = judged(both, Gateway(upstreams=upstreams))
    unmapped = compared.filter(pl.col("day").is_in([on(d) for d in nameless]), level="unmapped")
    reassigned = [token for token in TOKENS if len({key for _, key in life.listed(token)}) > 1]
    assert unmapped.is_empty() or not keys or reassigned


rows_of_tokens = st.lists(
    st.tuples(
        st.sampled_from(TOKENS), st.sampled_from(KEYS), of_days, st.booleans(), st.none() | of_days
    ),
    max_size=3,
    unique_by=lambda row: (row[0], row[2]),
)


@settings(max_examples=examples(20), deadline=None)
@given(lives, rows_of_tokens)
def test_a_list_of_tokens_that_does_not_fit_the_meter_leaves_one_row_for_each_key_and_day(
    life: Life, rows: list[tuple[str, str, int, bool, int | None]]
) -> None:
    stale = [
        {
            "token_id": token,
            "openai_api_key_id": key,
            "first_seen_day": on(last),
            "last_seen_day": on(last),
            "is_current": is_current,
            "counts_until_day": None if until is None else on(until),
        }
        for token, key, last, is_current, until in rows
    ]
    given_now = seen(life)
    judged(
        Sides(**{**given_now.__dict__, "tokens": tokens(*stale)}),  # as of another run
        Gateway(),
    )
