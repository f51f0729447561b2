"""The gateway, the directory and the seats from what is on the wire to the marts, in one run."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import polars as pl
import pytest
import stamina

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import range_tags
from openai_costs.orchestration.table_assets import LakeIOManager, asset_key
from openai_costs.questions.gateway_bypass import assets as gateway_bypass
from openai_costs.questions.prices.list_value import at_list_price
from openai_costs.questions.reconciliation import assets as reconciliation
from openai_costs.questions.seats import assets as seats
from openai_costs.settings import Directory, Gateway, Seats
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway import assets as gateway
from openai_costs.sources.gateway.readers import readers_of
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.people import assets as directory
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.seats import Seats as SeatTable
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.unspent_keys import UnspentKeys
from openai_costs_tests.org import INVOICED, QUIET, calm
from openai_costs_tests.sources.gateway.litellm.proxy import (
    URL,
    Proxy,
    Refusing,
    activity,
    key,
    metrics,
)

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
DAYS = DayRange(DAY - timedelta(days=2), DAY)
MILLION = 1_000_000
OF_THE_GATEWAY = (*gateway.WHOLE_ASSETS, *gateway_bypass.WHOLE_ASSETS)
OF_PEOPLE = (*directory.WHOLE_ASSETS, *seats.WHOLE_ASSETS)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-gateway-master-5tZ")
    with stamina.set_testing(True, attempts=1, cap=True):
        yield


def frame(table: type[Contract], usual: dict[str, Any], *rows: dict[str, Any]) -> pl.DataFrame:
    blank = dict.fromkeys(table.types())
    return pl.DataFrame([blank | usual | row for row in rows], schema=table.types())


def line(key_id: str, kind: str, usd: str, tokens: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "api_key_id": key_id,
        "line_item": f"gpt-5-2025-08-07, {kind}",
        "usage_type": kind,
        "billed_usd": Decimal(usd),
        "quantity": Decimal(tokens),
        **more,
    }


def billed(lake: Lake) -> None:
    """A bill of one day: a key through the gateway, one round it, and two people."""
    on = {"connection": "acme", "provider": "openai", "day": DAY, "project_id": "proj_maps"}
    usual = (
        on | {"model": "gpt-5-2025-08-07", "quantity_unit": "tokens", "grouping": "all"} | INVOICED
    )
    ledger = frame(
        Spend,
        usual,
        line("key_maps", "input", "5", MILLION),
        line("key_maps", "cached_input", "0.5", MILLION),
        line("key_rogue", "output", "30", MILLION),
    )
    slices = [Slice("acme", day) for day in DAYS]
    read_at = dict.fromkeys(slices, NOW)
    lake.replace(Spend, [Batch(ledger, read_at)])
    states = {"connection": "acme", "is_settled": True, "read_at": NOW.replace(tzinfo=None)}
    controls = ({"day": day, "billed_usd": Decimal(0)} for day in DAYS)
    lake.replace(SpendControl, [Batch(frame(SpendControl, states, *controls), read_at)])
    whose = on | {"billed_usd": Decimal(30), "attribution": "key_owner", "user_id": "user-jon"}
    lake.replace(SpendAttribution, [Batch(frame(SpendAttribution, whose, {}), read_at)])


def listed(lake: Lake) -> None:
    """A directory of three keys and three people."""
    known = {
        "connection": "acme",
        "provider": "openai",
        "status": "active",
        "first_seen_day": DAY,
        "last_seen_day": DAY,
        "is_current": True,
    }
    keys = ({"id": "key_maps"}, {"id": "key_rogue", "owner_name": "Jon"}, {"id": "key_idle"})
    used = {"last_used_at": NOW.replace(tzinfo=None)}
    rows = (one | (used if one["id"] != "key_idle" else {}) for one in keys)
    lake.replace_whole(ApiKeys, frame(ApiKeys, known | {"project_id": "proj_maps"}, *rows))
    people = (
        {"id": "user-mira", "email": "Mira@tide.example"},
        {"id": "user-jon", "email": "jon@tide.example"},
        {"id": "user-who", "email": "who@elsewhere.example"},
    )
    lake.replace_whole(Users, frame(Users, known | {"role": "reader"}, *people))


def proxy() -> Proxy:
    """A gateway that took a tenth of the cached tokens for plain ones."""
    token = key("tok", key_alias="maps-prod", metadata={"openai_api_key_id": "key_maps"})
    page = activity({"openai/gpt-5": {"tok": metrics(5.95, plain=1_100_000, cached=900_000)}})

    def rows(path: str, said: dict[str, str]) -> list[Any]:
        if path == "/key/list":
            return [] if "status" in said else [token]
        return [page] if said["start_date"] == str(DAY) else []

    return Proxy(rows)


def house(
    home: Path, people: str = "email,status\nmira@tide.example,active\njon@tide.example,left\n"
) -> Settings:
    (home / "people.csv").write_text(people)
    settings = Settings(
        home=str(home / "data"),
        config_file=home / "openai_costs.toml",
        connections=(OpenAIConnection(name="acme", start=DAYS.first),),
        gateway=Gateway(litellm_url=URL, requests_per_minute=100_000),
        directory=Directory(files=("people.csv",)),
        seats=Seats(month_usd=Decimal(30)),
    )
    lake = Lake(place(settings.home))
    billed(lake)
    listed(lake)
    return settings


def run(
    settings: Settings,
    inner: httpx.BaseTransport,
    whole: tuple[dg.AssetsDefinition, ...] = (*OF_THE_GATEWAY, *OF_PEOPLE),
) -> tuple[Lake, dict[str, bool]]:
    """Materialise what is of days and of the whole; return the lake and what the checks said."""
    home = place(settings.home)
    lake, archive = Lake(home), Archive(home)
    with calm():
        days = dg.DailyPartitionsDefinition(str(DAYS.first), end_offset=1)
        builders = (
            *gateway.DAILY_ASSETS,
            *reconciliation.DAILY_ASSETS,
            *gateway_bypass.DAILY_ASSETS,
        )
        assets = [*(build(days) for build in builders), *whole]
        resources = {
            "settings": settings,
            "clock": lambda: NOW,
            "lake": lake,
            "lake_io": LakeIOManager(lake),
            "archive": archive,
            "gateway_readers": readers_of(settings, lambda: NOW, inner),
            "at_list_price": at_list_price,
        }
        ledger = dg.AssetSpec(asset_key(Spend), partitions_def=days)
        defs = dg.Definitions(
            assets=[*assets, ledger.with_io_manager_key("lake_io")],
            jobs=[dg.define_asset_job("everything", selection=dg.AssetSelection.assets(*assets))],
            resources=resources,
            executor=dg.in_process_executor,
        )
        with unrecorded() as instance:
            result = defs.resolve_job_def("everything").execute_in_process(
                instance=instance, tags=range_tags(DAYS), run_config=QUIET
            )
    assert result.success
    said: dict[str, bool] = {}
    for one in result.get_asset_check_evaluations():
        name = f"{one.asset_key.to_user_string()}: {one.check_name}"
        said[name] = said.get(name, True) and one.passed
    return lake, said


def test_one_run_finds_the_bypass_the_gaps_and_who_has_a_seat(tmp_path: Path) -> None:
    lake, checks = run(house(tmp_path), proxy())
    assert set(checks.values()) == {True}
    bypass = lake.read(GatewayBypass).select("day", "api_key_id", "reason", "owner", "at_risk_usd")
    assert bypass.rows() == [(DAY, "key_rogue", "unregistered", "Jon", Decimal(30))]
    assert lake.read(UnspentKeys)["key_id"].to_list() == ["key_idle"]
    compared = lake.read(CostReconciliation)
    assert dict(compared.select("api_key_id", "cause").unique().rows()) == {
        "key_maps": "cached_tokens",
        "key_rogue": "bypass",
    }
    assert compared["cached_tokens_usd"].sum() == Decimal("-0.45")
    held = lake.read(SeatTable)
    assert {
        row["user_id"]: (row["status"], row["spend_30d_usd"]) for row in held.rows(named=True)
    } == {
        "user-mira": ("matched", 0),
        "user-jon": ("left", 30),
        "user-who": ("unmatched", 0),
    }


def test_a_gateway_that_refuses_turns_its_checks_red_and_stops_nothing(tmp_path: Path) -> None:
    lake, checks = run(house(tmp_path), Refusing())
    assert checks["raw/gateway_registry: read_complete"] is False
    assert checks["raw/gateway_meter: read_complete"] is False
    assert lake.read(GatewayBypass).is_empty(), "without a registry every key looks like a bypass"
    assert lake.read(CostReconciliation).is_empty()


def test_a_second_run_changes_nothing_and_a_directory_that_lost_its_people_flags_no_one_meanwhile(
    tmp_path: Path,
) -> None:
    settings, people = house(tmp_path), tmp_path / "people.csv"
    tables = (GatewayBypass, CostReconciliation, SeatTable)
    lake, _ = run(settings, proxy())
    before, listed = [lake.read(table) for table in tables], lake.read(Engineers)
    run(settings, proxy())
    assert all(lake.read(table).equals(one) for table, one in zip(tables, before, strict=True))

    good = people.read_text()
    people.write_text("email,status\n")
    lake, checks = run(settings, proxy())
    assert checks["core/engineers: believable"] is False
    assert lake.read(Engineers).drop("is_trusted").equals(listed.drop("is_trusted"))
    assert set(lake.read(SeatTable)["status"]) == {None}

    people.write_text(good)
    lake, checks = run(settings, proxy())
    assert checks["core/engineers: believable"] is True
    assert set(lake.read(SeatTable)["status"]) == {"matched", "left", "unmatched"}


def test_a_directory_that_was_empty_from_the_start_flags_no_one(tmp_path: Path) -> None:
    lake, checks = run(house(tmp_path, "email,status\n"), proxy())
    assert checks["core/engineers: believable"] is False
    assert set(lake.read(SeatTable)["status"]) == {None}


def test_without_a_gateway_nothing_is_compared_and_nothing_called_a_bypass(tmp_path: Path) -> None:
    settings = house(tmp_path).model_copy(update={"gateway": Gateway()})
    lake, checks = run(settings, Refusing())
    assert checks["raw/gateway_meter: read_complete"] is True
    assert lake.read(GatewayBypass).is_empty()
    assert lake.read(CostReconciliation).is_empty()


def test_days_before_the_gateway_are_not_judged(tmp_path: Path) -> None:
    gateway_now = Gateway(litellm_url=URL, start=DAY + timedelta(days=1))
    settings = house(tmp_path).model_copy(update={"gateway": gateway_now})
    lake, _ = run(settings, proxy())
    assert lake.read(GatewayBypass).is_empty()
    assert lake.read(CostReconciliation).is_empty()
