from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from openai_costs.settings import Gateway, Upstream
from openai_costs.sources.gateway.frames import registries
from openai_costs.sources.gateway.listing import Listing, TokenRow
from openai_costs.sources.gateway.registry import strangers, tokens
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_tokens import GatewayTokens

DAY = date(2026, 3, 10)
API = "token_metadata"
FILE = "registry_file"


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def listing(*rows: TokenRow, on: date = DAY, by: str = API) -> Listing:
    return Listing(on, by, rows)


def keys(*ends: str) -> pl.DataFrame:
    known = {
        "connection": "acme",
        "provider": "openai",
        "status": "active",
        "project_id": "proj_maps",
        "first_seen_day": DAY,
        "last_seen_day": DAY,
        "is_current": True,
    }
    blank = dict.fromkeys(ApiKeys.types())
    rows = [
        blank | known | {"id": f"key_{number}", "redacted_value": f"sk-proj-********{end}"}
        for number, end in enumerate(ends)
    ]
    return pl.DataFrame(rows, schema=ApiKeys.types())


def made(
    *listings: Listing, upstreams: Sequence[Upstream] = (), known: pl.DataFrame | None = None
) -> list[dict[str, Any]]:
    found = tokens("gateway", listings, upstreams, keys() if known is None else known)
    assert GatewayTokens.broken_rules(found) == []
    return found.rows(named=True)


def where(row: dict[str, Any]) -> tuple[Any, ...]:
    names = (
        "upstream_connection",
        "openai_api_key_id",
        "openai_project_id",
        "mapping",
        "confidence",
    )
    return tuple(row[name] for name in names)


def test_a_key_that_the_tokens_own_metadata_names_is_known_surely():
    (row,) = made(listing(TokenRow("tok", openai_api_key_id="key_0")), known=keys("aa"))
    assert where(row) == ("acme", "key_0", None, "token_metadata", "high")


def test_a_registry_file_names_what_the_gateways_own_list_does_not():
    rows = made(
        listing(TokenRow("tok", name="maps-prod", team="maps")),
        listing(TokenRow("tok", openai_api_key_id="key_0", team="old"), by=FILE),
    )
    assert where(rows[0]) == (None, "key_0", None, "registry_file", "high")
    assert (rows[0]["name"], rows[0]["team"]) == ("maps-prod", "maps")


def test_a_tokens_own_metadata_wins_over_a_registry_file():
    rows = made(
        listing(TokenRow("tok", openai_api_key_id="key_own")),
        listing(TokenRow("tok", openai_api_key_id="key_file"), by=FILE),
    )
    assert where(rows[0])[1:4:2] == ("key_own", "token_metadata")


def test_a_declared_upstream_covers_the_tokens_its_patterns_fit():
    upstream = Upstream(connection="acme", api_key_id="key_up", tokens=("maps-*",))
    rows = made(
        listing(TokenRow("a", name="maps-prod"), TokenRow("b", name="search")), upstreams=[upstream]
    )
    assert [where(row) for row in rows] == [
        ("acme", "key_up", None, "declared_upstream", "medium"),
        (None, None, None, "none", "none"),
    ]


@pytest.mark.parametrize(
    ("token", "known"),
    [
        ({"openai_key_hint": "sk-...9fK2"}, ("acme", "key_0", "proj_maps", "key_hint", "low")),
        ({"openai_project_id": "proj_a"}, (None, None, "proj_a", "token_metadata", "low")),
        ({}, (None, None, None, "none", "none")),
    ],
)
def test_a_key_declared_for_some_models_says_nothing_of_a_tokens_other_models(
    token: dict[str, Any], known: tuple[Any, ...]
):
    for_model = Upstream(connection="acme", api_key_id="key_b", models=("gpt-4.1*",))
    (row,) = made(listing(TokenRow("tok", **token)), upstreams=[for_model], known=keys("9fK2"))
    assert where(row) == known


def test_what_a_token_says_of_its_key_comes_before_what_is_declared_for_all():
    for_all = Upstream(connection="acme", api_key_id="key_up")
    hinted = TokenRow("tok", openai_key_hint="sk-...9fK2")
    (row,) = made(listing(hinted), upstreams=[for_all], known=keys("9fK2", "77aa"))
    assert where(row) == ("acme", "key_0", "proj_maps", "key_hint", "low")
    (row,) = made(listing(hinted), upstreams=[for_all], known=keys("77aa"))
    assert where(row)[1:4:2] == ("key_up", "declared_upstream"), "no key ends so"


def test_two_declared_keys_for_one_token_leave_no_key_but_the_project_they_share():
    both = [
        Upstream(connection="acme", api_key_id=one, project_id="proj_up")
        for one in ("key_a", "key_b")
    ]
    (row,) = made(listing(TokenRow("tok")), upstreams=both)
    assert where(row) == ("acme", None, "proj_up", "declared_upstream", "low")


def test_two_declared_keys_of_two_projects_leave_nothing():
    both = [Upstream(connection="acme", api_key_id=one) for one in ("key_a", "key_b")]
    assert where(made(listing(TokenRow("tok")), upstreams=both)[0]) == (
        None,
        None,
        None,
        "none",
        "none",
    )


@pytest.mark.parametrize(("ends", "key"), [(("9fK2", "77aa"), "key_0"), (("9fK2", "b9fK2"), None)])
def test_the_last_characters_of_a_key_find_it_when_no_other_ends_so(ends: Any, key: str | None):  # noqa: ANN401
    (row,) = made(listing(TokenRow("tok", openai_key_hint="sk-...9fK2")), known=keys(*ends))
    assert row["openai_api_key_id"] == key
    assert (row["mapping"], row["confidence"]) == (("key_hint", "low") if key else ("none", "none"))


def test_a_project_alone_is_weak_evidence():
    (row,) = made(listing(TokenRow("tok", openai_project_id="proj_maps")))
    assert where(row) == (None, None, "proj_maps", "token_metadata", "low")


def test_a_token_that_left_the_list_keeps_its_key_and_its_last_day():
    rows = made(
        listing(TokenRow("tok", openai_api_key_id="key_0"), on=day(0)),
        listing(TokenRow("other"), on=day(1)),
    )
    gone = rows[1]
    assert (gone["token_id"], gone["status"], gone["is_current"]) == ("tok", "vanished", False)
    assert (gone["first_seen_day"], gone["last_seen_day"]) == (day(0), day(0))
    assert gone["openai_api_key_id"] == "key_0"


def test_the_newest_listing_says_how_a_token_is_called_now():
    rows = made(
        listing(TokenRow("tok", name="old", team="a"), on=day(0)),
        listing(TokenRow("tok", name="new"), on=day(1)),
    )
    assert (rows[0]["name"], rows[0]["team"]) == ("new", "a")
    assert (rows[0]["first_seen_day"], rows[0]["last_seen_day"]) == (day(0), day(1))


def test_an_owner_that_is_an_address_is_not_kept():
    rows = made(listing(TokenRow("a", owner_id="mira@tide.example"), TokenRow("b", owner_id="u-7")))
    assert [row["owner_id"] for row in rows] == [None, "u-7"]


def test_a_name_or_a_team_that_is_an_address_is_not_in_the_table_and_fits_settings():
    some = Upstream(connection="acme", api_key_id="key_up", tokens=("mira@*",))
    mira = TokenRow("a", name="mira@tide.example", team="maps (mira@tide.example)")
    (row,) = made(listing(mira), upstreams=[some])
    assert (row["name"], row["team"]) == (None, "maps ([e-mail address])")
    assert row["openai_api_key_id"] == "key_up"


def test_no_listing_is_no_token():
    assert made() == []


def test_a_token_listed_as_deleted_counts_up_to_the_last_day_it_was_listed_without():
    gone = TokenRow("tok", openai_api_key_id="key_0", status="deleted")
    live = gone._replace(status="active")
    (row,) = made(listing(live), listing(gone, on=day(1)), listing(gone, on=day(2)))
    assert (row["status"], row["is_current"]) == ("deleted", False)
    assert (row["first_seen_day"], row["last_seen_day"]) == (DAY, DAY)
    (late,) = made(listing(gone, on=day(1)), listing(gone, on=day(2)))
    assert (late["is_current"], late["last_seen_day"]) == (False, day(1))


def test_a_source_that_left_the_settings_lists_no_one_any_more():
    old = Listing(DAY, FILE, [TokenRow("old", openai_api_key_id="key_0")], is_read_now=False)
    gone, here = made(old, listing(TokenRow("tok"), on=day(5)))
    assert (gone["token_id"], gone["is_current"], gone["last_seen_day"]) == ("old", False, DAY)
    assert (here["token_id"], here["is_current"]) == ("tok", True)


def test_the_settings_name_the_registries_that_are_read():
    assert registries(Gateway(litellm_url="https://gateway.example")) == ("litellm",)
    assert registries(Gateway(token_files=("tokens.csv",))) == ("gateway_files",)
    assert registries(Gateway()) == ()


def test_a_hint_shorter_than_what_is_shown_of_a_key_says_nothing():
    (row,) = made(listing(TokenRow("tok", openai_key_hint="2")), known=keys("9fK2"))
    assert row["mapping"] == "none"


def test_a_key_that_no_directory_has_is_believed_less_and_named():
    frame = tokens(
        "gateway",
        [listing(TokenRow("tok", name="maps-prod", openai_api_key_id="key_typo"))],
        (),
        keys("aa"),
    )
    assert where(frame.row(0, named=True)) == (None, "key_typo", None, "token_metadata", "low")
    (said,) = strangers(frame, keys("aa"))
    assert said.startswith("The token maps-prod names the OpenAI key key_typo, which no directory")


def test_without_a_directory_no_key_is_a_stranger():
    frame = tokens("gateway", [listing(TokenRow("tok", openai_api_key_id="key_0"))], (), keys())
    assert where(frame.row(0, named=True))[-1] == "high"
    assert strangers(frame, keys()) == []
    assert strangers(frame, keys("aa")) == [], "key_0 is in it"


def partial(*rows: TokenRow, on: date) -> Listing:
    return Listing(on, FILE, rows, is_partial=True)


def test_a_token_that_a_partial_list_lacks_has_not_vanished():
    first = listing(TokenRow("a"), TokenRow("b"), on=day(0), by=FILE)
    here, lacking = made(first, partial(TokenRow("a"), on=day(1)))
    assert (here["is_current"], here["is_partial"], here["last_seen_day"]) == (True, True, day(1))
    assert (lacking["is_current"], lacking["is_partial"], lacking["status"]) == (
        True,
        False,
        "active",
    )


def test_a_whole_list_after_a_partial_one_is_whole():
    rows = made(
        partial(TokenRow("a"), on=day(0)), listing(TokenRow("a"), TokenRow("b"), on=day(1), by=FILE)
    )
    assert [row["is_partial"] for row in rows] == [False, False]


def days_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["openai_api_key_id"], row["counts_from_day"], row["counts_until_day"]


MAPS, SEARCH = TokenRow("tok", "maps", openai_api_key_id="key_0"), TokenRow("other", "search")


def test_a_listed_token_counts_without_end_and_one_that_is_gone_until_the_first_list_without_it():
    pause = (listing(MAPS, SEARCH, on=day(0)), listing(MAPS, SEARCH, on=day(1)))
    assert [days_of(row)[1:] for row in made(*pause)] == [(None, None), (None, None)]
    _, gone = made(*pause, listing(SEARCH, on=day(9)), listing(SEARCH, on=day(10)))
    assert (gone["last_seen_day"], *days_of(gone)) == (day(1), "key_0", None, day(8))


def test_a_partial_list_without_a_token_ends_nothing():
    first = listing(MAPS, SEARCH, on=day(0), by=FILE)
    _, gone = made(first, partial(SEARCH, on=day(3)), listing(SEARCH, on=day(5), by=FILE))
    assert days_of(gone) == ("key_0", None, day(4))


def test_a_token_of_a_source_that_left_the_settings_counts_until_the_next_list_of_another():
    old = Listing(DAY, FILE, [MAPS], is_read_now=False)
    assert days_of(made(old)[0])[2] == DAY
    assert days_of(made(old, listing(SEARCH, on=day(5)))[1])[2] == day(4)


def test_a_token_that_came_back_counts_for_the_days_between():
    rows = made(listing(MAPS), listing(SEARCH, on=day(3)), listing(MAPS, SEARCH, on=day(6)))
    assert days_of(rows[1]) == ("key_0", None, None)


def test_a_token_that_was_given_to_another_key_has_a_row_for_each_and_both_for_the_days_between():
    other = MAPS._replace(openai_api_key_id="key_1")
    before, now = made(listing(MAPS), listing(other, on=day(4)), listing(other, on=day(5)))
    assert (before["status"], before["is_current"]) == ("reassigned", False)
    assert (now["status"], now["is_current"]) == ("active", True)
    assert days_of(before) == ("key_0", None, day(3))
    assert days_of(now) == ("key_1", day(1), None)
    seen = [(row["first_seen_day"], row["last_seen_day"]) for row in (before, now)]
    assert seen == [(DAY, DAY), (day(4), day(5))]


def test_the_key_of_a_token_that_was_off_a_list_before_it_got_another_counts_until_that_list():
    """It was found to go around the gateway on those days: that was taken back."""
    other = MAPS._replace(openai_api_key_id="key_1")
    lists = [listing(MAPS), *(listing(on=day(number)) for number in (2, 4))]
    before, now = made(*lists, listing(other, on=day(6)))
    assert days_of(before) == ("key_0", None, day(1))
    assert days_of(now) == ("key_1", day(1), None), "a first list is no beginning"
    partial = replace(listing(on=day(2)), is_partial=True)
    before, _ = made(listing(MAPS), partial, listing(other, on=day(6)))
    assert days_of(before) == ("key_0", None, day(5)), "a partial list ends nothing"


def test_a_token_that_changed_its_name_is_on_the_bill_that_its_name_of_the_day_is_declared_for():
    upstreams = [
        Upstream(connection="acme", api_key_id=key, tokens=(name,))
        for key, name in (("key_up", "maps"), ("key_other", "search"))
    ]
    named, renamed = TokenRow("tok", name="maps"), TokenRow("tok", name="search")
    rows = made(listing(named), listing(renamed, on=day(1)), upstreams=upstreams)
    assert [(row["name"], *days_of(row)) for row in rows] == [
        ("maps", "key_up", None, DAY),
        ("search", "key_other", day(1), None),
    ]
    assert len(made(listing(named), listing(renamed, on=day(1)))) == 1, "it was never on a bill"


def test_a_key_that_is_named_later_was_the_tokens_before_and_one_left_out_stays():
    bare = TokenRow("tok", "maps")
    (row,) = made(listing(bare), listing(MAPS, on=day(3)), listing(bare, on=day(5)))
    assert days_of(row) == ("key_0", None, None)


def test_a_file_that_says_otherwise_moves_no_token_whose_own_metadata_names_a_key():
    changed = MAPS._replace(openai_api_key_id="key_1")
    rows = made(
        listing(MAPS, on=day(0)),
        listing(MAPS, on=day(6)),
        listing(MAPS, on=day(0), by=FILE),
        listing(changed, on=day(3), by=FILE),
    )
    assert [days_of(row) for row in rows] == [("key_0", None, None)]


def test_a_token_that_a_file_gives_to_another_key_moves_where_its_metadata_names_none():
    bare, changed = TokenRow("tok", "maps"), MAPS._replace(openai_api_key_id="key_1")
    rows = made(
        listing(bare, on=day(0)),
        listing(bare, on=day(5)),
        listing(MAPS, on=day(0), by=FILE),
        listing(changed, on=day(5), by=FILE),
    )
    assert [(*days_of(row), row["mapping"]) for row in rows] == [
        ("key_0", None, day(4), FILE),
        ("key_1", day(1), None, FILE),
    ]


def test_the_last_list_of_a_day_is_what_a_token_was_on_that_day():
    other = MAPS._replace(openai_api_key_id="key_1")
    (row,) = made(listing(MAPS), listing(other))
    assert days_of(row) == ("key_1", None, None)
