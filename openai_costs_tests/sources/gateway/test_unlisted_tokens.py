from collections.abc import Sequence
from typing import Any

from openai_costs.kernel.redaction import plain_name
from openai_costs.settings import Upstream
from openai_costs.sources.gateway.listing import TokenRow
from openai_costs.sources.gateway.registry import tokens
from openai_costs.sources.gateway.unlisted_tokens import MeteredToken, with_unlisted
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs_tests.sources.gateway.test_registry import day, keys, listing, where

OLD = MeteredToken("hashold", "svc", day(0), day(3))


def made(*listed: TokenRow, upstreams: Sequence[Upstream] = ()) -> dict[str, dict[str, Any]]:
    """The rows of a list in which OLD is not, by token."""
    frame = tokens("gateway", [listing(*listed)], upstreams, keys("aa"))
    every = with_unlisted(
        frame, "gateway", [OLD, MeteredToken("hashnew", "svc", *OLD[2:])], upstreams
    )
    assert GatewayTokens.broken_rules(every) == []
    return {row["token_id"]: row for row in every.iter_rows(named=True)}


def test_the_hash_before_a_rotation_is_on_the_bill_of_the_listed_token_of_its_alias():
    rows = made(TokenRow("hashnew", name="svc", openai_api_key_id="key_0"))
    old = rows["hashold"]
    assert where(old) == ("acme", "key_0", None, "token_name", "medium")
    assert (old["status"], old["is_current"], old["name"]) == ("unlisted", False, "svc")
    assert (old["first_seen_day"], old["last_seen_day"]) == (day(0), day(3))
    assert (rows["hashnew"]["status"], len(rows)) == ("active", 2)


def test_settings_that_declare_a_key_for_every_token_declare_it_for_an_unlisted_one():
    every = Upstream(connection="acme", api_key_id="key_up")
    assert where(made(TokenRow("other"), upstreams=[every])["hashold"]) == (
        "acme",
        "key_up",
        None,
        "declared_upstream",
        "medium",
    )


def test_settings_that_declare_a_key_for_an_alias_declare_it_for_an_unlisted_token_of_it():
    some = Upstream(connection="acme", api_key_id="key_up", tokens=("sv*",))
    assert where(made(upstreams=[some])["hashold"])[1] == "key_up"
    others = Upstream(connection="acme", api_key_id="key_up", tokens=("maps-*",))
    assert where(made(upstreams=[others])["hashold"]) == (None, None, None, "none", "none")


def test_an_alias_of_tokens_on_two_bills_proves_nothing():
    two = (
        TokenRow("hashnew", name="svc", openai_api_key_id="key_0"),
        TokenRow("third", name="svc", openai_api_key_id="key_1"),
    )
    assert where(made(*two)["hashold"])[-2:] == ("none", "none")


def test_the_hash_before_a_rotation_is_on_the_bill_that_its_alias_had_on_its_days():
    was, now = (TokenRow("hashnew", "svc", openai_api_key_id=key) for key in ("key_0", "key_1"))
    lists = [listing(was, on=day(3)), listing(now, on=day(4))]
    frame = tokens("gateway", lists, (), keys("aa", "bb"))
    later = MeteredToken("hashlater", "svc", day(6), day(8))
    both = MeteredToken("hashboth", "svc", day(0), day(8))
    found = with_unlisted(frame, "gateway", [OLD, later, both], ())
    assert GatewayTokens.broken_rules(found) == []
    of_token = found.filter(status="unlisted").select("token_id", "openai_api_key_id").rows()
    assert dict(of_token) == {"hashold": "key_0", "hashlater": "key_1", "hashboth": None}


def test_two_aliases_that_differ_in_their_address_alone_prove_nothing():
    ana = TokenRow("hashana", name="ci of ana@acme.example", openai_api_key_id="key_0")
    frame = tokens("gateway", [listing(ana)], (), keys("aa"))
    zoe = MeteredToken("hashzoe", plain_name("ci of zoe@acme.example"), day(0), day(3))
    rows = with_unlisted(frame, "gateway", [zoe], ()).rows(named=True)
    assert [row["name"] for row in rows] == ["ci of [e-mail address]"] * 2
    assert [row["mapping"] for row in rows] == ["token_metadata", "none"]
