"""A gateway that shows less than it has accuses no one; a rotated token is still the gateway's."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import stamina
from upath import UPath

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.outputs.alerts.evaluation import evaluate
from openai_costs.questions.gateway_bypass.findings import QUESTIONS
from openai_costs.questions.reconciliation.findings import QUESTION
from openai_costs.questions.rules import Facts
from openai_costs.settings import Gateway, Upstream
from openai_costs.settings.load import Settings
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs_tests import test_governance
from openai_costs_tests.sources.gateway.litellm.proxy import (
    URL,
    Proxy,
    activity,
    key,
    log,
    metrics,
)
from openai_costs_tests.test_governance import (
    DAY,
    DAYS,
    MILLION,
    NOW,
    OF_THE_GATEWAY,
    house,
    proxy,
)

run = partial(test_governance.run, whole=OF_THE_GATEWAY)

REGISTRY, METER = "raw/gateway_registry: read_complete", "raw/gateway_meter: read_complete"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-gateway-master-5tZ")
    with stamina.set_testing(True, attempts=1, cap=True):
        yield


def accused(lake: Lake, settings: Settings) -> list[str]:
    """The subjects of the findings about the gateway."""
    known = {"connection": "acme", "source": "costs", "state": "settled", "is_connected": True}
    states = [dict.fromkeys(Coverage.types()) | known | {"day": day} for day in DAYS]
    lake.replace_whole(Coverage, pl.DataFrame(states, schema=Coverage.types()))
    evaluation = evaluate(lake, Facts(settings, NOW), (*QUESTIONS, QUESTION))
    return sorted(evaluation.candidates["subject_id"].to_list())


def with_gateway(settings: Settings, **more: Any) -> Settings:  # noqa: ANN401
    own = {"litellm_url": URL, "requests_per_minute": 100_000} | more
    return settings.model_copy(update={"gateway": Gateway.model_validate(own)})


def test_a_whole_registry_and_meter_name_the_key_that_bypasses(tmp_path: Path) -> None:
    settings = house(tmp_path)
    lake, _ = run(settings, proxy())
    assert accused(lake, settings) == ["acme/cached_tokens", "key_rogue"]


def test_a_key_that_sees_a_part_of_the_proxy_turns_checks_red_and_accuses_no_one(
    tmp_path: Path,
) -> None:
    settings, own = house(tmp_path), proxy()
    said = {"error": {"message": "Authentication Error, Only proxy admin can be used."}}
    own.whole_view = httpx.Response(401, json=said)
    lake, checks = run(settings, own)
    assert (checks[REGISTRY], checks[METER]) == (False, False)
    assert accused(lake, settings) == []
    tables = (GatewayTokens, GatewaySpend, GatewayBypass, CostReconciliation)
    assert [lake.read(table).height for table in tables] == [0, 0, 0, 0]


def test_spend_logs_that_are_switched_off_turn_a_check_red_and_accuse_no_one(
    tmp_path: Path,
) -> None:
    settings = with_gateway(house(tmp_path), meter="requests")
    token = key("tok", metadata={"openai_api_key_id": "key_maps"})

    def rows(path: str, said: dict[str, str]) -> list[Any]:
        if path == "/key/list":
            return [] if "status" in said else [token]
        day = activity({"openai/gpt-5": {"tok": metrics(5.5, plain=MILLION, cached=MILLION)}})
        return [day] if path == "/user/daily/activity" and said["start_date"] == str(DAY) else []

    def counted(_n: int, page: dict[str, Any]) -> dict[str, Any]:
        totals = {"total_api_requests": 10, "total_spend": 5.5}
        is_day = page.get("results")
        return page | {"metadata": page["metadata"] | totals} if is_day else page

    lake, checks = run(settings, Proxy(rows, change=counted))
    assert (checks[REGISTRY], checks[METER]) == (True, False)
    assert DAY not in lake.days(GatewaySpend, "gateway")
    assert accused(lake, settings) == ["key_rogue"], "the registry is whole: it is in no list"
    assert lake.read(GatewayBypass).filter(reason="unmetered").is_empty()


def test_spend_logs_that_hold_what_the_proxy_counted_are_metered(tmp_path: Path) -> None:
    settings = with_gateway(house(tmp_path), meter="requests")
    whole = log("tok", 5.5, MILLION, MILLION, 0, startTime=f"{DAY}T08:00:00Z")

    def rows(path: str, said: dict[str, str]) -> list[Any]:
        is_day = said.get("start_date", "").startswith(str(DAY))
        return [whole] if path == "/spend/logs/v2" and is_day else []

    lake, checks = run(settings, Proxy(rows))
    assert checks[METER] is True
    assert lake.read(GatewaySpend)["metered_usd"].to_list() == [Decimal("5.5")]


@pytest.mark.parametrize("by", ["alias", "settings"])
def test_a_rotated_token_that_is_in_no_list_is_metered_for_its_key(tmp_path: Path, by: str) -> None:
    named = {"openai_api_key_id": "key_maps"} if by == "alias" else {}
    every = {"connection": "acme", "api_key_id": "key_maps", "tokens": ["*"]}
    upstreams = [every] if by == "settings" else []
    settings = with_gateway(house(tmp_path), upstreams=upstreams)
    spent = metrics(5.5, plain=MILLION, cached=MILLION)
    page = activity({"openai/gpt-5": {"hashold": spent}})
    (of_model,) = page["breakdown"]["models"].values()
    of_model["api_key_breakdown"]["hashold"]["metadata"] = {"key_alias": "svc"}

    def rows(path: str, said: dict[str, str]) -> list[Any]:
        if path == "/key/list":
            return [] if "status" in said else [key("hashnew", key_alias="svc", metadata=named)]
        return [page] if said["start_date"] == str(DAY) else []

    lake, _ = run(settings, Proxy(rows))
    compared = lake.read(CostReconciliation).filter(api_key_id="key_maps")
    assert set(compared["cause"]) == {"agrees"}
    assert (compared["billed_usd"].sum(), compared["gap_usd"].sum()) == (Decimal("5.5"), 0)
    assert accused(lake, settings) == ["key_rogue"]


HEADS = "day,token_id,model,input_tokens,input_cached_tokens,output_tokens,metered_usd\n"


def files(home: Path, odd: str) -> Settings:
    """A gateway of two files: a registry, and a meter with an odd row of DAY."""
    settings = house(home)
    (home / "tokens.csv").write_text("token_id,openai_api_key_id\ntok,key_maps\n")
    days = "".join(f"{day},tok,gpt-5,1,0,0,0.01\n" for day in DAYS)
    (home / "spend.csv").write_text(HEADS + days + odd)
    read = Gateway(token_files=("tokens.csv",), spend_files=("spend.csv",))
    return settings.model_copy(update={"gateway": read})


def test_no_key_is_judged_by_the_day_of_a_row_that_was_set_aside(tmp_path: Path) -> None:
    settings = files(tmp_path, f"{DAY},tok,gpt-5,2e6,1000000,0,5.49\n")
    lake, checks = run(settings, proxy())
    assert checks[METER] is False
    partial = dict(lake.read(GatewaySpend).select("day", "is_partial").iter_rows())
    assert partial == {day: day == DAY for day in DAYS}
    assert accused(lake, settings) == ["key_rogue"]
    compared = lake.read(CostReconciliation).filter(api_key_id="key_maps", day=DAY)
    assert set(compared["cause"]) == {"late_or_unsettled"}


def test_a_day_of_which_every_row_was_set_aside_turns_the_check_yellow_and_accuses_no_one(
    tmp_path: Path,
) -> None:
    settings = files(tmp_path, "")
    text = (tmp_path / "spend.csv").read_text()
    (tmp_path / "spend.csv").write_text(text.replace(f"{DAY},tok,gpt-5,1,", f"{DAY},tok,gpt-5,?,"))
    lake, checks = run(settings, proxy())
    assert checks[METER] is False
    assert DAY not in lake.read(GatewaySpend)["day"]
    assert accused(lake, settings) == ["key_rogue"]


def test_days_that_an_earlier_version_took_for_free_of_requests_leave_the_meter(
    tmp_path: Path,
) -> None:
    settings = files(tmp_path, "")
    text = f"{HEADS}{DAYS.first},tok,gpt-5,1,0,0,0.01\n2027-03-10,tok,gpt-5,1,0,0,0.01\n"
    (tmp_path / "spend.csv").write_text(text)
    archive, lake = Archive(UPath(settings.home)), Lake(UPath(settings.home))
    asked = {"rows": ("meter", [("spend.csv", "0" * 64)], list[str]())}
    quiet = DayRange(DAYS.first + ONE_DAY, NOW.date())
    for day in quiet:
        whose = ("gateway_files", "gateway", "meter", day, NOW)
        archive.keep(DayRead(*whose, asked, {"rows": b"[]"}))
    slices = {Slice("gateway", day): NOW for day in quiet}
    lake.replace(GatewaySpend, [Batch(GatewaySpend.no_rows(), slices)])
    lake, _ = run(settings, proxy())
    assert lake.days(GatewaySpend, "gateway") == {DAYS.first}
    assert archive.days("gateway_files", "gateway", "meter") == [DAYS.first]
    assert archive.days("gateway_files", "gateway", "meter_withdrawn") == [*quiet]


def test_a_key_is_judged_by_a_day_from_which_nothing_was_set_aside(tmp_path: Path) -> None:
    settings = files(tmp_path, "")
    lake, checks = run(settings, proxy())
    assert checks[METER] is True
    assert "key_maps" in accused(lake, settings)


def test_no_key_is_judged_by_a_registry_from_which_a_row_was_set_aside(tmp_path: Path) -> None:
    settings = files(tmp_path, "")
    (tmp_path / "tokens.csv").write_text("token_id,openai_api_key_id\ntok,key_maps\n,key_rogue\n")
    lake, checks = run(settings, proxy())
    assert checks[REGISTRY] is False
    assert accused(lake, settings) == []
    assert lake.read(GatewayBypass).is_empty()


def test_a_key_that_no_directory_has_turns_a_check_yellow(tmp_path: Path) -> None:
    settings = files(tmp_path, "")
    (tmp_path / "tokens.csv").write_text("token_id,openai_api_key_id\ntok,key_typo\n")
    lake, checks = run(settings, proxy())
    assert checks["core/gateway_tokens: usable"] is False
    assert lake.read(GatewayTokens)["confidence"].to_list() == ["low"]


def test_upstreams_are_a_registry_of_their_own(tmp_path: Path) -> None:
    every = Upstream(connection="acme", api_key_id="key_maps")
    settings = house(tmp_path).model_copy(update={"gateway": Gateway(upstreams=(every,))})
    lake, _ = run(settings, proxy())
    assert accused(lake, settings) == ["key_rogue"]


def test_a_meter_without_dollars_is_valued_at_list_price_where_it_is_cleaned(
    tmp_path: Path,
) -> None:
    settings = files(tmp_path, "")
    (tmp_path / "spend.csv").write_text(
        "day,token_id,model,input_tokens,output_tokens\n"
        f"{DAY},tok,gpt-4o-mini,1000000,1000000\n{DAY},tok,a-model-of-ours,10,5\n"
    )
    valued = settings.gateway.model_copy(update={"spend_cost": "list_price"})
    lake, checks = run(settings.model_copy(update={"gateway": valued}), proxy())
    assert checks[METER] is True
    columns = ("model", "metered_usd", "cost_basis", "unpriced_tokens")
    assert lake.read(GatewaySpend).select(columns).sort("model").rows() == [
        ("a-model-of-ours", None, "estimated", 15),
        ("gpt-4o-mini", Decimal("0.75"), "estimated", 0),
    ]
    compared = lake.read(CostReconciliation)
    assert set(compared["metered_basis"]) == {"estimated"}
