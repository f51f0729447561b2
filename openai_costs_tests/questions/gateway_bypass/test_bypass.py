from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from openai_costs.questions.gateway_bypass.bypass import (
    DESCRIBED,
    Activity,
    bypass,
    described_otherwise,
)
from openai_costs.questions.gateway_bypass.key_days import KEY_DAY
from openai_costs.questions.reconciliation.reconcile import Sides, reconciliation
from openai_costs.settings import AllowedKey, Gateway, Upstream
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.price_check import PriceCheck

DAY = date(2026, 3, 10)
LISTED = DAY - timedelta(days=40)
GATEWAY = Gateway()


def frame(table: type[Contract], usual: dict[str, Any], rows: Any) -> pl.DataFrame:  # noqa: ANN401
    blank = dict.fromkeys(table.types())
    return pl.DataFrame([blank | usual | row for row in rows], schema=table.types())


def spent(usd: str = "10", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"billed_usd": Decimal(usd), **more}


PROJECTS = frame(
    Projects,
    {
        "connection": "acme",
        "provider": "openai",
        "status": "active",
        "first_seen_day": LISTED,
        "last_seen_day": DAY,
        "is_current": True,
    },
    ({"id": "proj_maps", "name": "Maps"},),
)


def tokens_billed(usd: str, tokens: int, kind: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    counted = {"usage_type": kind, "quantity": Decimal(tokens), "quantity_unit": "tokens"}
    return spent(usd, line_item=f"gpt, {kind}", **(counted | more))


def tokens_metered(plain: int, output: int) -> dict[str, Any]:
    parts = {"input_uncached_tokens": plain, "input_cached_tokens": 0}
    return parts | {
        "input_tokens": plain, "input_cache_write_tokens": 0, "output_tokens": output,
    }  # fmt: skip


def activity(*lines: dict[str, Any], **others: Any) -> Sides:  # noqa: ANN401
    """A bill of literals beside a gateway that knows key_maps, and a directory that knows all."""
    on = {"connection": "acme", "provider": "openai", "day": DAY, "project_id": "proj_maps"}
    usual = {"api_key_id": "key_maps", "grouping": "all", "model": "gpt-5"}
    ledger = frame(Spend, on | usual, lines)
    usage = frame(
        Usage,
        on | {"api_key_id": "key_maps", "endpoint": "completions", "model": "gpt-5"},
        others.get("usage", ()),
    )
    token = {
        "connection": "gateway", "token_id": "tok_maps", "status": "active",
        "openai_api_key_id": "key_maps", "mapping": "token_metadata", "confidence": "high",
        "first_seen_day": LISTED, "last_seen_day": DAY, "is_current": True,
    }  # fmt: skip
    row = {
        "connection": "gateway", "day": DAY, "token_id": "tok_maps", "upstream_provider": "openai",
        "model": "gpt-5", "is_unpriced": False, "unpriced_tokens": 0, "metered_usd": Decimal(10),
    }  # fmt: skip
    key = {
        "connection": "acme", "provider": "openai", "status": "active", "project_id": "proj_maps",
        "owner_type": "user", "owner_id": "user-mira", "owner_name": "Mira", "redacted_value": "",
        "first_seen_day": LISTED, "last_seen_day": DAY, "is_current": True,
    }  # fmt: skip
    keys = others.get("keys", ({"id": "key_maps"}, {"id": "key_rogue", "name": "rogue"}))
    complete = {"day": [DAY], "is_settled": [others.get("is_complete", True)]}
    read = pl.DataFrame(complete, schema={"day": pl.Date, "is_settled": pl.Boolean})
    return Sides(
        ledger=ledger,
        usage=usage,
        meter=frame(GatewaySpend, row, others.get("meter", ({},))),
        tokens=frame(GatewayTokens, token, others.get("tokens", ({},))),
        keys=frame(ApiKeys, key, keys),
        list_prices=PriceCheck.no_rows(),
        bill_days=ledger.select("connection", "day", is_settled=pl.lit(value=True)).unique(),
        meter_days=read,
    )


def listed(
    given: Sides, gateway: Gateway = GATEWAY, projects: pl.DataFrame = PROJECTS
) -> list[dict[str, Any]]:
    days = given.ledger["day"].unique().to_list()
    found = bypass(
        Activity(
            ledger=given.ledger,
            usage=given.usage,
            meter=given.meter,
            reconciliation=reconciliation(given, gateway, days),
            tokens=given.tokens,
            keys=given.keys,
            projects=projects,
        ),
        gateway,
    )
    assert GatewayBypass.broken_rules(found) == []
    return found.rows(named=True)


def stored_of(given: Sides) -> pl.DataFrame:
    rows = [{name: row[name] for name in (*KEY_DAY, *DESCRIBED)} for row in listed(given)]
    return pl.DataFrame(rows, GatewayBypass.no_rows().select(*KEY_DAY, *DESCRIBED).schema)


def test_a_registered_key_that_was_metered_is_not_listed():
    assert listed(activity(spent())) == []


def test_a_key_no_token_names_is_listed_with_owner_dollars_and_since_when():
    (row,) = listed(activity(spent(), spent("12.5", api_key_id="key_rogue")))
    assert (row["api_key_id"], row["reason"], row["owner"]) == ("key_rogue", "unregistered", "Mira")
    assert (row["billed_usd"], row["at_risk_usd"]) == (Decimal("12.5"), Decimal("12.5"))
    assert (row["metered_usd"], row["capture_rate"]) == (None, None)
    assert (row["first_seen_day"], row["new_since_day"]) == (LISTED, LISTED)
    assert row["because"] == (
        "API key rogue (key_rogue) in project Maps was billed $12.50 on 2026-03-10: "
        "no gateway token names the key."
    )


def test_a_key_whose_token_is_gone_bypasses_since_the_day_after():
    gone = {"is_current": False, "last_seen_day": DAY - timedelta(days=2)}
    (row,) = listed(activity(spent(), tokens=(gone,), meter=()))
    assert (row["reason"], row["new_since_day"]) == ("unregistered", DAY - timedelta(days=1))


def test_a_key_whose_token_is_gone_and_was_metered_went_through_the_gateway_on_that_day():
    gone = {"is_current": False, "last_seen_day": DAY - timedelta(days=2)}
    assert listed(activity(spent(), tokens=(gone,))) == []
    (row,) = listed(activity(spent("100"), tokens=(gone,)))
    assert (row["reason"], row["at_risk_usd"]) == ("unmetered", Decimal(90))


def test_a_key_between_the_last_list_with_its_token_and_the_first_without_is_not_accused():
    gone = {"is_current": False, "last_seen_day": DAY - timedelta(days=9)}
    unknown = gone | {"counts_until_day": DAY}
    assert listed(activity(spent(), tokens=(unknown,), meter=(), is_complete=False)) == []
    ended = gone | {"counts_until_day": DAY - timedelta(days=1)}
    (row,) = listed(activity(spent(), tokens=(ended,), meter=()))
    assert (row["reason"], row["new_since_day"]) == ("unregistered", DAY)


def test_a_key_older_than_the_first_read_bypasses_since_it_was_created():
    made = datetime.combine(LISTED - timedelta(days=9), time(23, 30))
    rogue = {"id": "key_rogue", "created_at": made}
    (row,) = listed(activity(spent(api_key_id="key_rogue"), keys=(rogue,)))
    assert (row["first_seen_day"], row["new_since_day"]) == (LISTED, made.date())


def test_a_key_is_registered_on_the_last_day_its_token_was_listed():
    gone = {"is_current": False, "last_seen_day": DAY}
    assert listed(activity(spent(), tokens=(gone,))) == []


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({"owner_type": "service_account"}, "service_account"),
        ({"is_current": False, "status": "vanished"}, "deleted_key"),
        ({"is_current": False, "status": "not_listed"}, "unregistered"),
        ({"owner_type": None}, "unregistered"),
    ],
)
def test_what_the_directory_says_of_an_unregistered_key_is_its_reason(key: Any, reason: str):  # noqa: ANN401
    given = activity(spent(api_key_id="key_rogue"), keys=({"id": "key_rogue"} | key,))
    assert [row["reason"] for row in listed(given)] == [reason]


def test_a_key_of_an_archived_project_was_not_deleted():
    key = {"id": "key_rogue", "is_current": False, "status": "vanished"}
    given = activity(spent(api_key_id="key_rogue"), keys=(key,))
    archived = PROJECTS.with_columns(status=pl.lit("archived"))
    (row,) = listed(given, projects=archived)
    assert row["reason"] == "archived_project"
    assert row["because"].endswith("whose project has been archived since.")
    assert described_otherwise(stored_of(given), given.tokens, given.keys, archived).height == 1


BEFORE_AND_NOW = [
    ({}, {}, False),
    ({}, {"last_used_at": datetime.combine(DAY, time(9))}, False),
    ({}, {"is_current": False, "status": "not_listed"}, False),
    ({}, {"is_current": False, "status": "vanished"}, True),
    ({}, {"owner_type": "service_account"}, True),
    ({}, {"name": "renamed"}, True),
    ({}, {"owner_id": "user-bo", "owner_name": "Bo"}, True),
]


@pytest.mark.parametrize(("before", "now", "is_other"), BEFORE_AND_NOW)
def test_a_stored_day_is_stale_where_the_list_of_keys_describes_it_otherwise(
    before: Any,  # noqa: ANN401
    now: Any,  # noqa: ANN401
    is_other: bool,  # noqa: FBT001
):
    lines = (spent(api_key_id="key_rogue"), spent(api_key_id=None))
    was, given = (activity(*lines, keys=({"id": "key_rogue"} | key,)) for key in (before, now))
    stored = stored_of(was)
    others = described_otherwise(stored, given.tokens, given.keys, PROJECTS)
    assert others["api_key_id"].to_list() == ["key_rogue"] * is_other
    again = described_otherwise(stored_of(given), given.tokens, given.keys, PROJECTS)
    assert again.is_empty()


def test_a_stored_day_is_stale_where_a_token_names_its_key_since_and_where_one_is_gone_since():
    rogue = {"openai_api_key_id": "key_rogue"}
    gone = {"is_current": False, "last_seen_day": DAY - timedelta(days=2)}
    unnamed = activity(spent(api_key_id="key_rogue"))
    for since in (rogue, rogue | gone):
        now = activity(spent(api_key_id="key_rogue"), tokens=(since,))
        others = described_otherwise(stored_of(unnamed), now.tokens, now.keys, PROJECTS)
        assert others.height == 1
        again = described_otherwise(stored_of(now), now.tokens, now.keys, PROJECTS)
        assert again.is_empty()


def test_a_key_was_last_used_as_of_the_day_and_only_an_old_day_waits_for_a_late_report():
    old, late = DAY - timedelta(days=9), datetime.combine(DAY - timedelta(days=3), time(9))
    lines = [spent(api_key_id="key_rogue", day=one) for one in (old, DAY)]

    def used(at: datetime | None) -> Sides:
        return activity(*lines, keys=({"id": "key_rogue", "last_used_at": at},))

    known = stored_of(used(late))
    assert known["last_used_at"].to_list() == [datetime.combine(old, time(23, 59, 59)), late]
    for at, stale in ((late + timedelta(days=9), []), (None, [old])):
        now = used(at)
        others = described_otherwise(known, now.tokens, now.keys, PROJECTS)
        assert others["day"].to_list() == stale


def test_a_day_that_was_not_metered_is_stale_by_its_names_alone():
    given = activity(spent("100"), usage=({"input_tokens": 9, "output_tokens": 1},))
    stored = stored_of(given)
    assert stored["reason"].to_list() == ["unmetered"]
    assert described_otherwise(stored, given.tokens[:0], given.keys, PROJECTS).is_empty()
    assert described_otherwise(stored, given.tokens, given.keys, PROJECTS[:0]).height == 1


def test_a_key_the_directory_has_never_listed_is_unregistered():
    (row,) = listed(activity(spent(api_key_id="key_new"), keys=()))
    assert (row["reason"], row["owner"], row["first_seen_day"]) == ("unregistered", None, None)


def test_spend_without_a_key_is_listed_as_such():
    (row,) = listed(activity(spent("3", api_key_id=None)))
    assert (row["reason"], row["at_risk_usd"]) == ("without_key", Decimal(3))
    assert row["because"] == (
        "Spend in project Maps was billed $3.00 on 2026-03-10: it names no key, so it cannot have "
        "come through the gateway."
    )


def test_a_registered_key_metered_far_below_its_bill_is_unmetered_by_the_difference():
    (row,) = listed(activity(spent("40")))
    assert (row["reason"], row["capture_rate"]) == ("unmetered", Decimal("0.25"))
    assert (row["metered_usd"], row["at_risk_usd"]) == (Decimal(10), Decimal(30))
    assert row["new_since_day"] is None


def test_a_key_whose_tokens_were_counted_is_not_unmetered_because_its_price_is_wrong():
    bill = (tokens_billed("30", 900, "input"), tokens_billed("10", 100, "output"))
    no_price = {"metered_usd": None, "is_unpriced": True}
    counted = tokens_metered(900, 100) | no_price | {"unpriced_tokens": 1_000}
    assert listed(activity(*bill, meter=(counted,))) == []
    half = tokens_metered(450, 50) | no_price | {"unpriced_tokens": 500}
    (row,) = listed(activity(*bill, meter=(half,)))
    assert (row["reason"], row["at_risk_usd"], row["at_risk_tokens"]) == ("unmetered", 20, 500)


def test_an_overpriced_model_hides_no_leak_of_another_one():
    mini, astra = {"model": "gpt-4o-mini"}, {"model": "gpt-6-astra"}
    bill = (
        tokens_billed("6.60", 44_000_000, "input", **mini),
        tokens_billed("2.70", 4_500_000, "output", **mini),
        tokens_billed("1.75", 1_000_000, "input", **astra),
    )
    metered = (
        tokens_metered(4_000_000, 500_000) | mini | {"metered_usd": Decimal("0.90")},
        tokens_metered(1_000_000, 0) | astra | {"metered_usd": Decimal("5.50")},
    )
    (row,) = listed(activity(*bill, meter=metered))
    assert (row["metered_usd"], row["capture_rate"]) == (
        Decimal("6.40"),
        Decimal("0.579185520361990950"),
    )
    assert (row["at_risk_usd"], row["at_risk_tokens"]) == (Decimal("8.40"), 44_000_000)
    assert row["because"] == (
        "API key key_maps in project Maps was billed $11.05 on 2026-03-10: the gateway metered "
        "$6.40. $8.40 (44,000,000 tokens) may not have gone through it: gpt-4o-mini $8.40."
    )


def test_a_capture_rate_near_one_hides_no_leak():
    bill = (
        tokens_billed("7", 7_000_000, "input", model="gpt-4.1"),
        tokens_billed("6.63", 1_000_000, "input", model="gpt-6-astra"),
    )
    dear = tokens_metered(1_000_000, 0) | {"model": "gpt-6-astra", "metered_usd": Decimal("13.30")}
    other = tokens_metered(1, 0) | {"model": "gpt-4.1", "metered_usd": Decimal("0.000001")}
    (row,) = listed(activity(*bill, meter=(dear, other)))
    assert row["capture_rate"] > Decimal("0.975")
    assert row["at_risk_usd"] == Decimal("6.999999")


def test_a_model_under_two_names_accuses_no_key():
    bill = (tokens_billed("10", 1_000_000, "input"),)
    renamed = tokens_metered(1_000_000, 0) | {"model": "maps-large"}
    assert listed(activity(*bill, meter=(renamed,))) == []


@pytest.mark.parametrize(
    "other", [{"token_id": "tok_new"}, {"model": "maps-large"}], ids=["unmapped", "renamed"]
)
def test_the_tokens_at_risk_are_those_of_the_dollars_at_risk(other: dict[str, str]):
    nowhere = NOWHERE | {"token_id": "tok_new"}
    elsewhere = tokens_metered(300_000, 0) | other | {"metered_usd": Decimal(3)}
    bill = (tokens_billed("6", 400_000, "input"),)
    (row,) = listed(activity(*bill, tokens=({}, nowhere), meter=(elsewhere,)))
    assert (row["at_risk_usd"], row["at_risk_tokens"]) == (Decimal(3), 200_000)


def test_what_was_metered_for_tokens_that_nothing_maps_accuses_no_key():
    nowhere = NOWHERE | {"token_id": "tok_new"}
    unmapped = tokens_metered(800_000, 0) | {"token_id": "tok_new", "metered_usd": Decimal(8)}
    mapped = tokens_metered(200_000, 0) | {"metered_usd": Decimal(2)}
    bill = (tokens_billed("10", 1_000_000, "input"),)
    assert listed(activity(*bill, tokens=({}, nowhere), meter=(mapped, unmapped))) == []


def test_a_tool_that_no_gateway_meters_is_no_leak():
    search = spent("40", usage_type="web_search", model=None)
    metered = tokens_metered(1_000_000, 0)
    assert listed(activity(tokens_billed("10", 1_000_000, "input"), search, meter=(metered,))) == []


def test_a_credit_is_no_spend_without_a_key():
    credit = spent("-25", api_key_id=None, line_item="credit")
    assert listed(activity(credit)) == []
    (row,) = listed(activity(credit, spent("3", api_key_id=None)))
    assert row["billed_usd"] == Decimal(3)


@pytest.mark.parametrize("key", ["key_maps", "key_rogue"])
def test_a_key_that_was_billed_nothing_but_a_credit_is_not_listed(key: str):
    assert listed(activity(spent("-25", api_key_id=key, line_item="credit"))) == []


def test_a_day_the_meter_was_not_completely_read_for_judges_no_registered_key():
    assert listed(activity(spent("40"), is_complete=False)) == []


def test_a_project_the_gateway_knows_covers_its_keys_with_low_confidence_and_one_rate():
    by_project = {"openai_api_key_id": None, "openai_project_id": "proj_maps"}
    lines = (spent("10"), spent("30", api_key_id="key_rogue"))
    rows = listed(activity(*lines, tokens=(by_project,)))
    assert {(row["reason"], row["confidence"], row["capture_rate"]) for row in rows} == {
        ("unmetered", "low", Decimal("0.25"))
    }
    assert sum(row["at_risk_usd"] for row in rows) == Decimal(30)


def test_tokens_without_dollars_are_activity():
    used = {"api_key_id": "key_rogue", "input_tokens": 7, "output_tokens": 3}
    (row,) = listed(activity(usage=(used,)))
    assert (row["tokens"], row["billed_usd"]) == (10, 0)


def test_usage_that_was_not_read_leaves_tokens_unknown():
    (row,) = listed(activity(spent(api_key_id="key_rogue")))
    assert row["tokens"] is None


def test_an_exception_holds_to_its_last_day_and_says_why():
    entry = AllowedKey(api_key_id="key_rogue", reason="load test", until=DAY)
    given = activity(
        spent(api_key_id="key_rogue"), spent(api_key_id="key_rogue", day=DAY + timedelta(days=1))
    )
    on, after = listed(given, Gateway(allowed=(entry,)))
    assert (on["is_allowed"], on["allowed_because"]) == (True, "load test (until 2026-03-10)")
    assert (after["is_allowed"], after["allowed_because"]) == (False, None)
    assert on["because"].endswith("Allowed: load test (until 2026-03-10).")


def test_all_that_registered_and_other_keys_billed_is_accounted_for_once():
    lines = (spent("1"), spent("2", api_key_id="key_rogue"), spent("4", api_key_id=None))
    rows = listed(activity(*lines))
    assert sum(row["billed_usd"] for row in rows) == Decimal(6)


TWO_UPSTREAMS = Gateway(
    upstreams=(
        Upstream(connection="acme", api_key_id="key_maps"),
        Upstream(connection="acme", api_key_id="key_search"),
    )
)
NOWHERE = {"openai_api_key_id": None, "mapping": "none", "confidence": "none"}


@pytest.mark.parametrize("tokens", [(), (NOWHERE,)])
def test_a_key_that_settings_declare_is_the_gateways_whichever_token_it_answers_for(tokens: Any):  # noqa: ANN401
    lines = (spent("40"), spent("50", api_key_id="key_search"), spent(api_key_id="key_rogue"))
    all_of_it = {"metered_usd": Decimal(90)}
    (row,) = listed(activity(*lines, tokens=tokens, meter=(all_of_it,)), TWO_UPSTREAMS)
    assert (row["api_key_id"], row["reason"]) == ("key_rogue", "unregistered")


@pytest.mark.parametrize("tokens", [(), (NOWHERE,)])
def test_declared_keys_that_a_token_may_choose_from_are_judged_together(tokens: Any):  # noqa: ANN401
    lines = (spent("40"), spent("50", api_key_id="key_search"))
    part = {"metered_usd": Decimal(45)}
    rows = listed(activity(*lines, tokens=tokens, meter=(part,)), TWO_UPSTREAMS)
    assert {(row["reason"], row["confidence"], row["capture_rate"]) for row in rows} == {
        ("unmetered", "medium", Decimal("0.5"))
    }
    assert [row["at_risk_usd"] for row in rows] == [20, 25]


def test_a_key_is_chosen_by_the_model_that_settings_declare_it_for():
    by_model = Gateway(
        upstreams=(
            Upstream(connection="acme", api_key_id="key_maps", models=("gpt-4o-mini",)),
            Upstream(connection="acme", api_key_id="key_search", models=("gpt-4.1",)),
        )
    )
    bill = (
        tokens_billed("10", 1_000_000, "input", model="gpt-4o-mini"),
        tokens_billed("6.88", 1_000_000, "input", model="gpt-4.1", api_key_id="key_search"),
    )
    metered = tuple(
        tokens_metered(1_000_000, 0) | {"model": model, "metered_usd": Decimal(usd)}
        for model, usd in (("gpt-4o-mini", "10"), ("gpt-4.1", "6.88"))
    )
    assert listed(activity(*bill, meter=metered), by_model) == []
    (row,) = listed(activity(*bill, meter=metered[:1]), by_model)
    assert (row["api_key_id"], row["at_risk_usd"]) == ("key_search", Decimal("6.88"))


def test_a_declared_key_that_a_token_names_is_judged_by_what_was_metered():
    (row,) = listed(activity(spent("40")), TWO_UPSTREAMS)
    assert (row["reason"], row["confidence"], row["at_risk_usd"]) == ("unmetered", "high", 30)


def test_the_keys_of_a_declared_project_are_the_gateways():
    declared = Gateway(upstreams=(Upstream(connection="acme", project_id="proj_maps"),))
    metered = ({"metered_usd": Decimal(40)},)
    given = activity(spent("40", api_key_id="key_rogue"), tokens=(), meter=metered)
    assert listed(given, declared) == []


def test_a_key_billed_in_two_projects_was_metered_once():
    rows = listed(activity(spent("10"), spent("30", project_id=None)))
    assert {row["capture_rate"] for row in rows} == {Decimal("0.25")}
    assert sum(row["metered_usd"] for row in rows) == Decimal(10)
    assert sum(row["at_risk_usd"] for row in rows) == Decimal(30)


def test_a_missing_price_accuses_no_one_where_usage_was_not_read():
    counted = tokens_metered(1_000, 0) | {
        "metered_usd": None, "is_unpriced": True, "unpriced_tokens": 1_000,
    }  # fmt: skip
    assert listed(activity(spent("40"), meter=(counted,))) == []
    assert [row["reason"] for row in listed(activity(spent("40"), meter=()))] == ["unmetered"]


def test_a_bill_too_small_for_a_rate_is_judged_by_none():
    assert listed(activity(spent("0.000000000000000001"), meter=({"metered_usd": 1000},))) == []


IN_ONE_PROJECT = Gateway(
    upstreams=tuple(
        Upstream(connection="acme", api_key_id=one, project_id="proj_maps")
        for one in ("key_maps", "key_search")
    )
)
THEIR_PROJECT = NOWHERE | {
    "openai_project_id": "proj_maps", "mapping": "declared_upstream", "confidence": "low",
}  # fmt: skip


def test_two_declared_keys_of_one_project_are_judged_by_the_rate_they_share():
    lines = (spent("20"), spent("20", api_key_id="key_search"))
    rows = listed(activity(*lines, tokens=(THEIR_PROJECT,)), IN_ONE_PROJECT)
    assert {row["reason"] for row in rows} == {"unmetered"}
    assert {row["capture_rate"] for row in rows} == {Decimal("0.25")}
    assert sum(row["at_risk_usd"] for row in rows) == Decimal(30)


def test_another_key_of_the_project_of_two_declared_ones_is_not_the_gateways():
    lines = (spent("5"), spent("5", api_key_id="key_search"), spent("0.42", api_key_id="key_rogue"))
    (row,) = listed(activity(*lines, tokens=(THEIR_PROJECT,)), IN_ONE_PROJECT)
    assert (row["api_key_id"], row["reason"]) == ("key_rogue", "unregistered")


def test_a_rotated_token_that_no_list_has_any_more_is_the_declared_keys():
    declared = Gateway(upstreams=(Upstream(connection="acme", api_key_id="key_maps"),))
    rotated = tokens_metered(10_000_000, 0) | {
        "token_id": "hash_old", "metered_usd": Decimal("7.50"),
    }  # fmt: skip
    given = activity(tokens_billed("7.50", 10_000_000, "input"), meter=(rotated,))
    assert listed(given, declared) == []
    compared = reconciliation(given, declared, [DAY])
    assert set(compared["cause"]) == {"agrees"}
    assert compared["metered_usd"].sum() == Decimal("7.50")
