"""A look at a small lake: two connections of one provider."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from openai_costs.questions.anomalies.evaluation import evaluate
from openai_costs.questions.anomalies.findings import QUESTION
from openai_costs.questions.anomalies.history import read_history
from openai_costs.questions.rules import Facts
from openai_costs.settings import Anomalies, AnomalyScope
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import connected
from openai_costs_tests.questions.anomalies.bill import bill, line, on
from openai_costs_tests.questions.anomalies.series import flat

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from openai_costs.tables.contract import Contract

DAYS = 60
SPIKE = 55
NOON = datetime(2026, 3, 8, 12)  # noqa: DTZ001 - as tables have instants
CONNECTIONS = ("acme", "harbour")


def lines(connection: str) -> list[dict[str, Any]]:
    usual = [
        line(number, key, f"{key}-user", f"{usd:.2f}", connection=connection)
        for key in ("k", "j")
        for number, usd in enumerate(flat(DAYS))
    ]
    more = line(SPIKE, "k", "k-user", "900", model="n", connection=connection)
    return [*usual, more] if connection == "acme" else usual


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(place(str(tmp_path)))
    for connection in CONNECTIONS:
        bills = bill(*lines(connection))
        for table, frame in zip((Spend, SpendAttribution, Ledger), bills, strict=True):
            store(made, table, frame, connection)
    made.replace_whole(Coverage, covered(DAYS))
    return made


def store(lake: Lake, table: type[Contract], frame: pl.DataFrame, connection: str) -> None:
    read_at = {Slice(connection, on(number)): NOON for number in range(DAYS)}
    assert not lake.replace(table, [Batch(frame, read_at)]).refused


def covered(days: int) -> pl.DataFrame:
    rows = [
        (name, "costs", on(number), "settled" if number < days else "provisional", 2, None, NOON)
        for name in CONNECTIONS
        for number in range(DAYS)
    ]
    return connected(rows)


def test_a_spike_is_seen_at_every_level_that_has_a_past_and_by_its_provider(lake: Lake) -> None:
    seen = evaluate(lake, Anomalies()).anomalies
    assert not SpendAnomalies.broken_rules(seen)
    assert seen["day"].unique().to_list() == [on(SPIKE)]
    assert dict(seen.select("series_kind", "connection").iter_rows()) == {
        "organization": "acme",
        "provider": "*",
        "project": "acme",
        "user": "acme",
        "api_key": "acme",
        "usage_type": "acme",
    }
    assert seen["incident_id"].n_unique() == 1
    (told,) = seen.filter("is_told").rows(named=True)
    assert (told["series_id"], told["series_name"]) == ("k-user", "k-user name")
    assert (told["team"], told["kind"], told["since_day"]) == ("search", "spike", on(SPIKE))


def test_actual_dollars_are_exact_and_causes_name_key_and_model(lake: Lake) -> None:
    (told,) = evaluate(lake, Anomalies()).anomalies.filter("is_told").rows(named=True)
    assert told["actual_usd"] == Decimal("1002.00")
    assert told["impact_usd"] == told["actual_usd"] - told["expected_usd"]
    said = {one["dimension"]: one["id"] for one in reversed(json.loads(told["causes"]))}
    assert said == {"api_key": "k", "model": "n"}


def test_a_cloud_that_bills_for_several_makers_is_added_to_none_of_them(lake: Lake) -> None:
    assert read_history(lake).providers == dict.fromkeys(CONNECTIONS, "openai")
    makers = ("anthropic", "openai")
    lines_ = [line(SPIKE, "k", None, "1", connection="harbour", provider=who) for who in makers]
    store(lake, Spend, bill(*lines_).spend, "harbour")
    assert read_history(lake).providers == {"acme": "openai", "harbour": "harbour"}


def test_a_day_that_has_not_settled_is_not_judged(lake: Lake) -> None:
    lake.replace_whole(Coverage, covered(SPIKE))
    seen = evaluate(lake, Anomalies())
    assert seen.anomalies.is_empty()
    assert seen.judged_days == SPIKE


def test_minimum_dollars_of_one_series_silence_it_and_no_other(lake: Lake) -> None:
    scopes = [
        AnomalyScope(scope=one, minimum_usd=Decimal(10_000))
        for one in ("user:k-user", "api_key:k", "provider")
    ]
    seen = evaluate(lake, Anomalies(scopes=tuple(scopes))).anomalies
    assert not {"user", "api_key", "provider"} & set(seen["series_kind"])
    assert "organization" in set(seen["series_kind"])


def test_without_settled_days_there_is_nothing_to_judge(tmp_path: Path) -> None:
    seen = evaluate(Lake(place(str(tmp_path))), Anomalies())
    assert (seen.judged_days, seen.incidents, seen.anomalies.is_empty()) == (0, 0, True)


def test_the_question_hands_over_what_the_table_holds(lake: Lake, tmp_path: Path) -> None:
    settings = Settings(
        home=str(tmp_path),
        config_file=tmp_path / "none.toml",
        connections=(OpenAIConnection(name="acme"),),
    )
    facts = Facts(settings, NOON)
    assert QUESTION.ask(lake, facts).is_empty()
    lake.replace_whole(SpendAnomalies, evaluate(lake, settings.anomalies).anomalies)
    (row,) = QUESTION.ask(lake, facts).rows(named=True)
    assert (row["rule"], row["connection"], row["day"]) == ("anomalies.spike", "acme", on(SPIKE))
    assert row["severity"] == "critical"


def test_a_refund_neither_ends_what_spends_every_day_nor_hides_a_spike(lake: Lake) -> None:
    before = evaluate(lake, Anomalies()).anomalies
    for connection in CONNECTIONS:
        nobody = {"api_key_name": None, "model": None, "usage_type": None, "quantity": None}
        refund = line(SPIKE, "k", None, "-5000", connection=connection, **nobody)
        bills = bill(*lines(connection), refund | {"api_key_id": None})
        for table, frame in zip((Spend, SpendAttribution, Ledger), bills, strict=True):
            store(lake, table, frame, connection)
    after = evaluate(lake, Anomalies()).anomalies
    assert after["direction"].unique().to_list() == ["up"]
    assert after.equals(before)
    for row in after.rows(named=True):
        added = sums(row["causes"])
        assert added == dict.fromkeys(added, row["impact_usd"])


def sums(causes: str) -> dict[bool, Decimal]:
    """What the causes of who and of what add up to."""
    found: dict[bool, Decimal] = {}
    for one in json.loads(causes):
        is_who = one["dimension"] in ("api_key", "user")
        found[is_who] = found.get(is_who, Decimal(0)) + Decimal(one["impact_usd"])
    return found
