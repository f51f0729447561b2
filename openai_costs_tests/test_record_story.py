"""A home whose lake is deleted and rebuilt: nothing is sent twice, and mutes stay."""

from __future__ import annotations

from decimal import Decimal
from shutil import rmtree
from typing import TYPE_CHECKING

import duckdb
import pytest

from openai_costs.cli.backfill import Headless
from openai_costs.cli.finding_changes import MuteRequest, mute
from openai_costs.cli.findings import shown
from openai_costs.outputs.alerts.cron import deliver_once
from openai_costs.settings import Alerts, Budget, Route
from openai_costs.sources.provider import Reach
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs_tests.org import NOW, House, calm, connection, day, house, only_money, untraced
from openai_costs_tests.outputs.alerts.servers import Inbox, http_inbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_costs.settings.load import Settings

ROUTE = Route(name="web", channel="webhook", url_env="WEB_URL", secret_env="WEB_SECRET")  # noqa: S106 - the name of a variable


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with http_inbox() as opened:
        monkeypatch.setenv("WEB_URL", opened.url)
        monkeypatch.setenv("WEB_SECRET", "a secret of the tests")
        yield opened


def alerting(made: House) -> Settings:
    """A home with two budgets that are exceeded, and a route."""
    budgets = tuple(Budget(name=name, limit_usd=Decimal(1), forecast=False) for name in ("a", "b"))
    return made.settings.model_copy(update={"budgets": budgets, "alerts": Alerts(routes=(ROUTE,))})


def backfilled(made: House, settings: Settings, *, offline: bool = False) -> None:
    reach = Reach(lambda one: made.transports[one.name])
    with calm(), untraced(), only_money("mart/budget_status", "mart/findings"):
        Headless(settings, lambda _line: None, made.clock, reach).backfill(offline=offline)


def delivered(settings: Settings) -> None:
    list(deliver_once(settings, lambda: NOW))


def test_a_deleted_lake_that_is_rebuilt_sends_nothing_twice_and_keeps_mutes(
    tmp_path: Path, inbox: Inbox
) -> None:
    made = house(tmp_path / "home")
    made.connections = (connection("tidewater", access="costs_only", start=day(18)),)
    settings = alerting(made)
    backfilled(made, settings)
    delivered(settings)
    sent = len(inbox.got)
    assert sent >= 2
    home = place(settings.home)
    muted = shown(home)[0].finding_id
    mute(settings, muted, MuteRequest("known", day(30)), NOW.date())
    delivered(settings)
    after_mute = len(inbox.got)
    before = [Lake(home).read(table).rows() for table in (FindingChanges, Deliveries)]

    rmtree(tmp_path / "home/lake")
    made.silence()
    backfilled(made, settings, offline=True)
    delivered(settings)

    assert len(inbox.got) == after_mute
    assert [Lake(home).read(table).rows() for table in (FindingChanges, Deliveries)] == before
    assert {one.finding_id for one in shown(home, everything=True) if one.state == "muted"} == {
        muted
    }
    with duckdb.connect(str(made.published), read_only=True) as published:
        rows = published.sql("SELECT count(*) FROM mart.deliveries").fetchall()[0][0]
    assert rows == len(before[1])
