from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.evaluation import evaluate
from openai_costs.questions.causes import as_json, cause
from openai_costs.questions.gateway_bypass.findings import QUESTIONS, candidates, distinguished
from openai_costs.questions.rules import Facts
from openai_costs.settings import Gateway, Upstream
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.candidate import Finding
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs_tests.org import connected, day

Asked = tuple[dict[str, date], tuple[date | None, ...]]


def key(when: int, usd: str, **said: object) -> dict[str, object]:
    """A day of a key; what is not said is of a key that no token names."""
    return {
        "day": day(when),
        "connection": "acme",
        "provider": "openai",
        "api_key_id": "key_ana",
        "key_name": "ana laptop",
        "owner": "Ana",
        "project_name": "Labs",
        "billed_usd": Decimal(usd),
        "at_risk_usd": Decimal(usd),
        "at_risk_tokens": 100,
        "at_risk_models": as_json([cause("model", "gpt-5.4", Decimal(usd))]),
        "tokens": 100,
        "new_since_day": day(3),
        "reason": "unregistered",
        "confidence": "none",
        "is_allowed": False,
        "because": "",
    } | said


def rows(*keys: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([*keys], schema=GatewayBypass.types())


def test_the_days_of_a_key_are_one_finding_with_its_dollars_and_its_owner() -> None:
    said = candidates(rows(key(4, "10.5"), key(6, "2")))
    assert Finding.broken_rules(said) == []
    row = said.row(0, named=True)
    assert (row["rule"], row["subject_id"]) == ("gateway_bypass.unregistered", "key_ana")
    assert (row["since_day"], row["day"], row["impact_usd"]) == (day(3), day(6), Decimal("12.5"))
    assert row["owner"] == "Ana"
    assert row["because"] == (
        "$12.50 was billed to API key ana laptop of Ana in project Labs for 200 tokens on 2 days "
        "from 2026-11-04 to 2026-11-06. No gateway token names the key, so it may be in use "
        "outside the gateway, since 2026-11-03. By model: gpt-5.4 $12.50."
    )


def test_a_key_that_was_behind_the_gateway_in_between_is_outside_it_again_since_then() -> None:
    """The first time was long over."""
    (row,) = candidates(rows(key(4, "10"), key(9, "2", new_since_day=day(8)))).rows(named=True)
    assert (
        "on 2 days from 2026-11-04 to 2026-11-09. No gateway token names the key, so it may be in "
        "use outside the gateway, again since 2026-11-08. By model"
    ) in row["because"]
    assert row["since_day"] == day(4)


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("deleted_key", "which has been deleted by now"),
        ("archived_project", "whose project has been archived by now"),
    ],
)
def test_a_key_that_is_gone_was_outside_the_gateway_since_a_day(reason: str, why: str) -> None:
    (row,) = candidates(rows(key(4, "10", reason=reason))).rows(named=True)
    assert (
        f"No gateway token named the key, {why}, so it may have been in use outside the gateway, "
        "since 2026-11-03."
    ) in row["because"]


def test_tokens_of_a_day_whose_usage_was_not_read_are_not_counted_as_none() -> None:
    row = candidates(rows(key(4, "1"), key(5, "2", at_risk_tokens=None))).row(0, named=True)
    assert "token " not in row["because"].replace("gateway token ", "")
    assert "tokens" not in row["because"]


def test_a_key_that_the_gateway_hardly_meters_names_the_models_and_accuses_no_one() -> None:
    models = as_json([cause("model", "gpt-4o-mini", Decimal("8.40"))])
    leak = {"at_risk_usd": Decimal("8.40"), "at_risk_tokens": 44_000_000, "at_risk_models": models}
    given = key(4, "11.05", reason="unmetered", new_since_day=None, **leak)
    row = candidates(rows(given)).row(0, named=True)
    assert row["because"] == (
        "$11.05 was billed to API key ana laptop of Ana in project Labs on 2026-11-04. The gateway "
        "did not meter $8.40 (44,000,000 tokens) of it, so the key may also be in use elsewhere. "
        "By model: gpt-4o-mini $8.40."
    )


def test_what_is_allowed_or_not_at_risk_is_no_finding() -> None:
    assert candidates(rows(key(4, "10", is_allowed=True), key(5, "0"))).is_empty()
    assert candidates(GatewayBypass.no_rows()).is_empty()


def test_a_key_that_goes_on_after_its_exception_ended_counts_from_then_on() -> None:
    said = candidates(rows(key(4, "10", is_allowed=True), key(5, "7")))
    assert said["impact_usd"].to_list() == [Decimal(7)]


def test_a_registered_key_that_is_hardly_metered_has_a_rule_of_its_own() -> None:
    said = candidates(rows(key(4, "10", reason="unmetered", new_since_day=None), key(5, "600")))
    assert dict(said.select("rule", "severity").rows()) == {
        "gateway_bypass.unmetered": "warning",
        "gateway_bypass.unregistered": "critical",
    }
    assert said.filter(rule="gateway_bypass.unmetered")["since_day"].to_list() == [day(4)]


def test_spend_without_a_key_is_no_finding_and_an_owner_known_by_an_address_stays_unnamed() -> None:
    assert candidates(rows(key(4, "1", reason="without_key", api_key_id=None))).is_empty()
    row = candidates(rows(key(4, "1", owner="ana@acme.example"))).row(0, named=True)
    assert row["owner"] is None
    assert "@" not in row["because"]
    assert row["day"] == date(2026, 11, 4)


def test_a_key_or_project_that_is_called_by_an_address_keeps_what_stands_before_the_at() -> None:
    named = {"key_name": "ana@acme.example laptop", "project_name": "ana@acme.example"}
    row = candidates(rows(key(4, "1", **named))).row(0, named=True)
    assert row["subject_name"] == "ana laptop"
    assert not [text for text in map(str, row.values()) if "@" in text]


# --- as far as the gateway is known --------------------------------------------------------------

GATEWAY = Gateway(litellm_url="https://gateway.example")
MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)
NEWEST = 22


def asked(home: Path, listed: int | None, metered: int | None, gateway: Gateway = GATEWAY) -> Asked:
    """What is found and judged when the registry and the meter were read up to some days.

    Two keys spent on every day: one that no token names, one that was hardly metered.
    """
    lake, days = Lake(UPath(home)), [day(number) for number in range(10, NEWEST + 1)]
    known = {"connection": "acme", "source": "costs", "state": "settled", "is_connected": True}
    blank = dict.fromkeys(Coverage.types())
    state = [blank | known | {"day": one} for one in days]
    state += [one | {"connection": "beta", "state": "missing"} for one in state]  # never read
    lake.replace_whole(Coverage, pl.DataFrame(state, schema=Coverage.types()))
    low = {"api_key_id": "key_bo", "reason": "unmetered", "new_since_day": None}
    spent = [key(n, "1", **more) for n in range(10, NEWEST + 1) for more in ({}, low)]
    lake.replace(
        GatewayBypass, [Batch(rows(*spent), {Slice("acme", one): MORNING for one in days})]
    )
    read = {Slice("gateway", day(n)): MORNING for n in range(10, (metered or 0) + 1)}
    lake.replace(GatewaySpend, [Batch(GatewaySpend.no_rows(), read)])
    lake.replace_whole(GatewayTokens, registry(listed))
    nobody = Settings(home="", config_file=Path("openai_costs.toml"))
    settings = nobody.model_copy(update={"gateway": gateway})
    evaluation = evaluate(lake, Facts(settings, MORNING), QUESTIONS)
    rules = ("gateway_bypass.unregistered", "gateway_bypass.unmetered")
    until = tuple(max(evaluation.judged.of(rule, "acme"), default=None) for rule in rules)
    return dict(evaluation.candidates.select("subject_id", "day").iter_rows()), until


def registry(listed: int | None) -> pl.DataFrame:
    if listed is None:
        return GatewayTokens.no_rows()
    row = dict.fromkeys(GatewayTokens.types()) | {
        "connection": "gateway",
        "token_id": "tok",
        "status": "active",
        "mapping": "none",
        "confidence": "none",
        "first_seen_day": day(1),
        "last_seen_day": day(listed),
        "is_current": True,
        "is_partial": False,
    }
    return pl.DataFrame([row], schema=GatewayTokens.types())


def test_registry_and_meter_are_each_judged_as_far_as_they_were_read(tmp_path: Path) -> None:
    found_on, until = asked(tmp_path, listed=21, metered=19)
    assert found_on == {"key_ana": day(21), "key_bo": day(19)}
    assert until == (day(21), day(19))


def test_a_meter_that_is_ahead_of_the_registry_is_judged_as_far_as_both_are(tmp_path: Path) -> None:
    assert asked(tmp_path, listed=18, metered=20)[1] == (day(18), day(18))


def test_a_key_and_a_project_with_namesakes_are_distinguished() -> None:
    marks = {("api_key", "key_ana"): " \u00b7 ey_ana", ("project", "proj_2"): " \u00b7 proj_2"}
    (row,) = candidates(distinguished(rows(key(4, "1", project_id="proj_2")), marks)).rows(
        named=True
    )
    assert row["subject_name"] == "ana laptop \u00b7 ey_ana"
    assert (
        "billed to API key ana laptop \u00b7 ey_ana of Ana in project Labs \u00b7 proj_2"
        in row["because"]
    )


def test_a_registry_that_was_never_read_opens_and_closes_nothing(tmp_path: Path) -> None:
    assert asked(tmp_path, listed=None, metered=22) == ({}, (None, None))


def test_a_meter_that_was_never_read_judges_no_one(tmp_path: Path) -> None:
    assert asked(tmp_path, listed=23, metered=None) == ({"key_ana": day(22)}, (day(22), None))


def test_a_gateway_that_left_the_settings_ends_what_was_found(tmp_path: Path) -> None:
    assert asked(tmp_path, listed=23, metered=22, gateway=Gateway()) == ({}, (day(22), day(22)))


def test_settings_that_are_all_the_registry_there_is_are_known_on_every_day(tmp_path: Path) -> None:
    declared = Gateway(upstreams=(Upstream(connection="acme", api_key_id="key_gate"),))
    found_on, until = asked(tmp_path, listed=None, metered=None, gateway=declared)
    assert (found_on["key_ana"], until) == (day(22), (day(22), day(22)))


def test_a_meter_that_left_the_settings_ends_what_it_found(tmp_path: Path) -> None:
    only_registry = Gateway(token_files=("tokens.csv",))
    assert asked(tmp_path, listed=22, metered=15, gateway=only_registry)[1] == (day(22), day(22))


def test_the_dollars_are_of_the_thirty_days_that_the_title_and_the_view_name() -> None:
    every = [key(1, "6", day=day(28) - step * ONE_DAY) for step in range(40)]
    stopped = [one | {"api_key_id": "key_ben"} for one in every[5:]]
    said = candidates(rows(*every, *stopped)).sort("subject_id")
    assert said["impact_usd"].to_list() == [180, 180]
    assert said["day"].to_list() == [day(28), day(23)]
    assert "on 30 days from 2026-10-30 to 2026-11-28" in said["because"][0]


@pytest.mark.parametrize(("later", "at_risk"), [(3, [180]), (30, [180]), (31, [])])
def test_a_key_that_stopped_keeps_the_days_before_it_until_that_is_too_long_ago(
    tmp_path: Path, later: int, at_risk: list[int]
) -> None:
    spent = [day(5) - step * ONE_DAY for step in range(35)]
    lake = Lake(UPath(tmp_path))
    slices = {Slice("acme", one): MORNING for one in spent}
    lake.replace(GatewayBypass, [Batch(rows(*(key(1, "6", day=one) for one in spent)), slices)])
    state = [("acme", "costs", one, "settled", None, None, None) for one in spent]
    lake.replace_whole(Coverage, connected(state))
    declared = Gateway(upstreams=(Upstream(connection="acme", api_key_id="key_gate"),))
    nobody = Settings(home="", config_file=Path("openai_costs.toml"))
    settings = nobody.model_copy(update={"gateway": declared})
    now = datetime(2026, 11, 5, 12, tzinfo=UTC) + later * ONE_DAY
    found = evaluate(lake, Facts(settings, now), QUESTIONS)
    kept = [
        one
        for one in found.candidates.iter_rows(named=True)
        if one["day"] in found.judged.of(one["rule"], "acme")
    ]
    assert [one["impact_usd"] for one in kept] == at_risk
