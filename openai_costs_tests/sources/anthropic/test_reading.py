"""A connection is read: which report, with which header, how far back, and what a refusal does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest
import stamina
from upath import UPath

from openai_costs.kernel.clock_skew import skew_aware
from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    MissingKey,
    PathNotAllowed,
    ProviderUnavailable,
)
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.connection import ALLOWED, NAME, connect
from openai_costs.sources.anthropic.costs.frames import ledger_batches
from openai_costs.sources.anthropic.costs.identity import accounts, owned_ids
from openai_costs.sources.anthropic.costs.source import AnthropicCosts
from openai_costs.sources.anthropic.reader import Reader, first_day, newest_window
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.sources.anthropic.usage.source import AnthropicUsage, first_usage_day
from openai_costs.sources.provider import Reach, silent
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs_tests.sources.anthropic.wire import (
    BILL,
    CLAUDE,
    DAY,
    KEY,
    ORG,
    OTHER_DAY,
    USD,
    AnthropicWire,
    Charge,
    error,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = DayRange(DAY, OTHER_DAY)
COSTS_ONLY = CLAUDE.model_copy(update={"access": "costs_only"})
TODAY = NOON.date()
OLD = date(2025, 6, 3)
NO_BETA = error(400, "invalid_request_error", "HIPAA readiness is enabled.")
NO_SCOPE = error(403, "permission_error", "Missing scope read:analytics.")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def settings(home: Path, connection: AnthropicConnection = CLAUDE) -> Settings:
    return Settings(home=str(home), config_file=home / "none.toml", connections=(connection,))


def read(
    home: Path,
    wire: AnthropicWire,
    days: DayRange = DAYS,
    *,
    kind: type[Reader] = AnthropicCosts,
    connection: AnthropicConnection = CLAUDE,
) -> list[DayRead]:
    archive = Archive(UPath(home))
    reader = kind(settings(home, connection), archive, lambda: NOON, Reach(lambda _: wire))
    found = []
    for one in reader.read(connection, days, wire.told.append):
        archive.keep(one)
        found.append(one)
    return found


def billed(reads: list[DayRead]) -> dict[date, object]:
    kept = [KeptRead(UPath("raw"), one.manifest(), dict(one.bodies)) for one in reads]
    (batch,) = ledger_batches(sorted(kept, key=lambda one: one.manifest.day), CLAUDE)
    sums = batch.frame.group_by("day").agg(pl.col("billed_usd").sum())
    return dict(sums.iter_rows())


def test_the_key_is_the_only_credential_of_a_request(tmp_path: Path):
    wire = AnthropicWire()
    read(tmp_path, wire)
    assert {one.headers["x-api-key"] for one in wire.asked} == {KEY}
    assert {one.headers["anthropic-version"] for one in wire.asked} == {"2023-06-01"}
    assert not any("authorization" in one.headers for one in wire.asked)


def test_only_the_analytics_reports_are_asked_with_the_header_of_the_beta(tmp_path: Path):
    wire = AnthropicWire()
    read(tmp_path, wire)
    with_beta = {
        path
        for path, one in zip(wire.paths, wire.asked, strict=True)
        if "anthropic-beta" in one.headers
    }
    assert with_beta == {"analytics/cost"}
    assert set(wire.paths) == {"analytics/cost", "me"}


def test_every_day_is_a_complete_read_with_the_ledger_its_cuts_and_the_total(tmp_path: Path):
    found = read(tmp_path, AnthropicWire())
    assert [one.day for one in found] == [*DAYS]
    parts = {"ledger", "control", "products", "context_windows", "inference_geos", "organization"}
    assert {frozenset(one.bodies) for one in found} == {frozenset(parts)}
    assert billed(found) == USD


def test_the_organization_is_the_one_that_the_key_belongs_to(tmp_path: Path):
    (found, *_) = read(tmp_path, AnthropicWire())
    assert accounts(found) == {ORG["id"]}


def test_a_key_that_may_not_ask_for_its_organization_reads_the_bill_all_the_same(tmp_path: Path):
    wire = AnthropicWire(refusals={"me": NO_SCOPE})
    found = read(tmp_path, wire)
    assert billed(found) == USD
    assert accounts(found[0]) == set()
    assert wire.paths.count("me") == 1


def test_costs_only_asks_for_costs_and_nothing_else(tmp_path: Path):
    wire = AnthropicWire()
    assert billed(read(tmp_path, wire, connection=COSTS_ONLY)) == USD
    assert set(wire.paths) == {"analytics/cost"}
    assert set(ALLOWED["costs_only"]) == {
        "/organizations/analytics/cost",
        "/organizations/cost_report",
    }
    with pytest.raises(PathNotAllowed):
        connect(settings(tmp_path), COSTS_ONLY, Reach(lambda _: wire)).get(
            "/organizations/users", ()
        )


@pytest.mark.parametrize("refusal", [NO_BETA, NO_SCOPE, error(404, "not_found_error", "Not found")])
def test_where_the_analytics_api_is_refused_the_older_report_is_read(
    tmp_path: Path, refusal: httpx.Response
):
    wire = AnthropicWire(refusals={"analytics/cost": refusal})
    found = read(tmp_path, wire)
    assert billed(found) == USD
    assert {one.requests["ledger"][0] for one in found} == {"/organizations/cost_report"}
    assert str(refusal.status_code) in found[0].absent["analytics"]


def test_a_refusal_of_both_reports_is_the_refusal_of_the_newer_one(tmp_path: Path):
    older = error(404, "not_found_error", "Not found")
    wire = AnthropicWire(refusals={"analytics/cost": NO_SCOPE, "cost_report": older})
    with pytest.raises(AccessRefused, match="read:analytics") as refused:
        read(tmp_path, wire)
    assert "HTTP 403" in str(refused.value)
    assert "ANTHROPIC_ADMIN_KEY" in str(refused.value)


def test_an_unknown_key_is_refused_once_and_not_tried_elsewhere(tmp_path: Path):
    wire = AnthropicWire(
        refusals={"analytics/cost": error(401, "authentication_error", "invalid x-api-key")}
    )
    with pytest.raises(AccessRefused, match="invalid x-api-key") as refused:
        read(tmp_path, wire)
    assert wire.paths == ["analytics/cost"]
    assert KEY not in str(refused.value)
    assert "OpenAI" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "kind"), [(429, "rate_limit_error"), (529, "overloaded_error"), (500, "api_error")]
)
def test_a_busy_provider_is_tried_again_and_quoted_without_the_key(
    tmp_path: Path, status: int, kind: str
):
    busy = error(status, kind, f"Too many requests for {KEY}.", **{"retry-after": "0"})
    wire = AnthropicWire(refusals={"analytics/cost": busy})
    with pytest.raises(ProviderUnavailable) as refused:
        read(tmp_path, wire)
    assert wire.paths == ["analytics/cost"] * 2
    assert f"HTTP {status}: Too many requests" in str(refused.value)
    assert KEY not in str(refused.value)


def test_an_organization_that_was_read_from_the_analytics_api_is_not_read_from_less(tmp_path: Path):
    read(tmp_path, AnthropicWire())
    wire = AnthropicWire(refusals={"analytics/cost": NO_SCOPE})
    with pytest.raises(AccessRefused):
        read(tmp_path, wire)
    assert "cost_report" not in wire.paths


def test_days_before_the_analytics_api_begins_are_read_from_the_older_report(tmp_path: Path):
    wire = AnthropicWire((*BILL, Charge(OLD, "250")))
    found = read(tmp_path, wire, DayRange(OLD, DAY))
    paths = {one.day: one.requests["ledger"][0] for one in found}
    assert paths[date(2025, 12, 31)] == "/organizations/cost_report"
    assert paths[date(2026, 1, 1)] == "/organizations/analytics/cost"
    assert len(found) == len(DayRange(OLD, DAY))
    assert not any(one.absent for one in found)


def test_a_request_spans_at_most_31_days_and_not_the_day_on_which_the_newer_report_begins():
    asked = {
        DayRange(date(2025, 12, 1), date(2026, 2, 10)): "2026-01-11 to 2026-02-10",
        DayRange(date(2025, 12, 1), date(2026, 1, 10)): "2026-01-01 to 2026-01-10",
        DayRange(date(2025, 12, 1), date(2025, 12, 31)): "2025-12-01 to 2025-12-31",
    }
    assert {days: str(newest_window(days, TODAY)) for days in asked} == asked
    assert len(newest_window(DayRange(OLD, DAY), TODAY)) == 31


def test_days_that_have_not_come_by_the_servers_clock_are_not_kept(tmp_path: Path):
    class Behind(AnthropicWire):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            answer.headers["date"] = "Mon, 16 Nov 2026 09:00:00 GMT"
            return answer

    clock = skew_aware(lambda: NOON)
    reader = AnthropicCosts(
        settings(tmp_path), Archive(UPath(tmp_path)), lambda: NOON, Reach(lambda _: Behind(), clock)
    )
    assert max(one.day for one in reader.read(CLAUDE, DAYS, silent)) == date(2026, 11, 16)


def test_two_connections_of_one_organization_share_the_ids_of_its_workspaces_and_keys(
    tmp_path: Path,
):
    (found, *_) = read(tmp_path, AnthropicWire(), connection=COSTS_ONLY)
    assert owned_ids(found) == {"wrkspc_prod", "apikey_web"}
    refused = AnthropicWire(refusals={"analytics/cost": NO_BETA})
    (older, *_) = read(tmp_path / "older", refused, connection=COSTS_ONLY)
    assert owned_ids(older) == {"wrkspc_prod"}
    assert owned_ids(replace(found, bodies={"ledger": b"<html>"})) == set()
    assert owned_ids(replace(found, bodies={})) == set()


def test_history_begins_where_the_older_report_is_refused_and_is_not_asked_for_again(
    tmp_path: Path,
):
    wire = AnthropicWire(refusals={"cost_report": NO_SCOPE})
    found = read(tmp_path, wire, DayRange(OLD, DAY))
    assert min(one.day for one in found) == date(2026, 1, 1)
    assert first_day(Archive(UPath(tmp_path)), CLAUDE) == date(2026, 1, 1)
    assert "its history begins on 2026-01-01" in wire.told[-1]
    again = AnthropicWire(refusals={"cost_report": NO_SCOPE})
    assert read(tmp_path, again, DayRange(OLD, OLD)) == []
    assert again.paths == []


def test_old_days_of_a_key_without_any_right_are_a_refusal_and_no_floor(tmp_path: Path):
    wire = AnthropicWire(refusals={"cost_report": NO_SCOPE, "analytics/cost": NO_SCOPE})
    with pytest.raises(AccessRefused):
        read(tmp_path, wire, DayRange(OLD, OLD))
    assert first_day(Archive(UPath(tmp_path)), CLAUDE) == CLAUDE.first_day


def test_a_day_with_keys_is_not_replaced_by_the_older_report_when_it_grows_old(tmp_path: Path):
    year_later = NOON + timedelta(days=400)
    read(tmp_path, AnthropicWire(), DayRange(DAY, DAY))
    archive = Archive(UPath(tmp_path))
    reader = AnthropicCosts(
        settings(tmp_path), archive, lambda: year_later, Reach(lambda _: AnthropicWire())
    )
    days = [one.day for one in reader.read(CLAUDE, DAYS, silent)]
    assert days == [day for day in DAYS if day != DAY]


def test_a_cut_that_is_refused_leaves_the_bill_whole(tmp_path: Path):
    class NoProducts(AnthropicWire):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "product" in request.url.params.get_list("group_by[]"):
                return error(400, "invalid_request_error", "product is not available")
            return super().handle_request(request)

    found = read(tmp_path, NoProducts())
    assert found[0].absent == {"products": "product is not available"}
    assert billed(found) == USD


def test_without_a_key_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    wire = AnthropicWire()
    with pytest.raises(MissingKey, match="Claude Console"):
        read(tmp_path, wire)
    assert wire.asked == []


def test_usage_is_read_from_the_analytics_api_and_else_from_the_older_report(tmp_path: Path):
    wire = AnthropicWire()
    newer = read(tmp_path / "a", wire, kind=AnthropicUsage)
    assert set(wire.paths) == {"analytics/usage", "me"}
    refused = AnthropicWire(refusals={"analytics/usage": NO_SCOPE})
    older = read(tmp_path / "b", refused, kind=AnthropicUsage)
    assert [one.day for one in newer] == [one.day for one in older] == [*DAYS]
    assert older[0].requests["usage"][0] == "/organizations/usage_report/messages"


def test_older_usage_is_asked_without_users_where_they_are_refused(tmp_path: Path):
    class WithoutUsers(AnthropicWire):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "account_id" in request.url.params.get_list("group_by[]"):
                return error(400, "invalid_request_error", "group_by: unknown value account_id")
            return super().handle_request(request)

    found = read(tmp_path, WithoutUsers(), DayRange(OLD, OLD), kind=AnthropicUsage)
    assert found[0].requests["usage"][2] == ["workspace_id", "api_key_id", "model", "service_tier"]


def test_usage_may_begin_later_than_costs_and_not_earlier(tmp_path: Path):
    archive = Archive(UPath(tmp_path))
    read(tmp_path, AnthropicWire(refusals={"cost_report": NO_SCOPE}), DayRange(OLD, DAY))
    assert first_usage_day(archive, CLAUDE) == date(2026, 1, 1)
    assert archive.connections(NAME) == ["claude"]
