"""The sample company at Anthropic, read by the real client: its reports agree."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.sample.anthropic.charges import TOKEN_TYPES, charges
from openai_costs.sample.anthropic.routes import ADMIN_KEY
from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.serving import InProcessTransport, sample_address, sample_at
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.costs.frames import control_batches, ledger_batches
from openai_costs.sources.anthropic.costs.source import AnthropicCosts
from openai_costs.sources.anthropic.organization.listings import listing
from openai_costs.sources.anthropic.organization.source import AnthropicOrganization
from openai_costs.sources.anthropic.reader import Reader
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.sources.anthropic.usage.frames import usage_batches
from openai_costs.sources.anthropic.usage.source import AnthropicUsage
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.sources.provider import Reach, silent
from openai_costs.storage.archive import Archive, KeptRead
from openai_costs.tables.core.projects import Projects
from openai_costs_tests.org import NOW

TODAY = NOW.date()
DAYS = DayRange(TODAY - timedelta(days=9), TODAY)
COMPANY = sample_at(sample_address(seed=7, days=30, today=TODAY))
APP = InProcessTransport(create_app(COMPANY, now=lambda: NOW))
CLAUDE = AnthropicConnection(name="claude", requests_per_minute=100_000)
URL = "https://sample.example/v1/organizations"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ADMIN_KEY)


def read(home: Path, kind: type[Reader] = AnthropicCosts) -> list[KeptRead]:
    settings = Settings(home=str(home), config_file=home / "none.toml", connections=(CLAUDE,))
    reader = kind(settings, Archive(UPath(home)), lambda: NOW, Reach(lambda _: APP))
    found = sorted(reader.read(CLAUDE, DAYS, silent), key=lambda one: one.day)
    return [KeptRead(UPath("raw"), one.manifest(), dict(one.bodies)) for one in found]


def billed(day: date) -> Decimal:
    return sum((one.cents for one in charges(COMPANY, day, NOW)), Decimal(0)) / 100


def ask(path: str, key: str = ADMIN_KEY, **params: str) -> httpx.Response:
    headers = {"x-api-key": key, "anthropic-beta": "analytics-usage-cost-2026-08-24"}
    days = {"starting_at": f"{DAYS.first}T00:00:00Z", "ending_at": f"{TODAY}T00:00:00Z"}
    with httpx.Client(transport=APP, headers=headers) as client:
        return client.get(f"{URL}/{path}", params=days | params)


def test_ledger_and_control_total_are_what_was_bought(tmp_path: Path) -> None:
    reads = read(tmp_path)
    (ledger,) = ledger_batches(reads, CLAUDE)
    (control,) = control_batches(reads, CLAUDE, timedelta(hours=24))
    totals = dict(control.frame.select("day", "billed_usd").iter_rows())
    assert totals == {day: billed(day) for day in DAYS}
    assert ledger.page_usd == {key: totals[key.day] for key in ledger.read_at}
    assert ledger.refused == ledger.remarks == {}
    assert min(totals.values()) > 0


def test_claude_code_is_named_with_its_users_and_the_discount_with_its_list_price(
    tmp_path: Path,
) -> None:
    (ledger,) = ledger_batches(read(tmp_path), CLAUDE)
    code = ledger.frame.filter(product="claude_code")
    assert set(code["user_id"]) == {"user_01signe", "user_01ruben", "user_01hyejin"}
    sonnet = ledger.frame.filter(model="claude-sonnet-5")
    assert sonnet["billed_usd"].sum() * 10 == sonnet["list_usd"].sum() * 9
    assert set(ledger.frame["usage_type"]) >= {"cache_write_5m", "cache_write_1h", "web_search"}


def test_usage_has_the_tokens_that_are_billed(tmp_path: Path) -> None:
    (usage,) = usage_batches(read(tmp_path, AnthropicUsage), CLAUDE)
    messages = usage.frame.filter(endpoint="messages")
    bought = sum(
        one.units
        for day in DAYS
        for one in charges(COMPANY, day, NOW)
        if one.token_type in TOKEN_TYPES
    )
    assert (
        messages.select(pl.sum_horizontal(pl.col("input_tokens", "output_tokens").sum())).item()
        == bought
    )


def test_the_older_report_has_the_same_dollars() -> None:
    ledger = ask("cost_report", **{"group_by[]": "description"}).json()["data"]
    whole = ask("cost_report").json()["data"]
    for day, lines, one in zip(DAYS, ledger, whole, strict=False):
        cents = sum(Decimal(each["amount"]) for each in lines["results"])
        assert cents == Decimal(one["results"][0]["amount"]) == billed(day) * 100


def test_a_day_is_the_same_whatever_else_is_asked() -> None:
    longer = sample_at(sample_address(seed=7, days=60, today=TODAY))
    assert list(charges(longer, DAYS.first, NOW)) == list(charges(COMPANY, DAYS.first, NOW))


def test_archived_workspaces_and_the_default_one_are_listed_on_request(tmp_path: Path) -> None:
    settings = Settings(
        home=str(tmp_path), config_file=tmp_path / "none.toml", connections=(CLAUDE,)
    )
    reader = AnthropicOrganization(
        settings, Archive(UPath(tmp_path)), lambda: NOW, Reach(lambda _: APP)
    )
    (found,) = reader.read(CLAUDE, DayRange(TODAY, TODAY), silent)
    kept = KeptRead(UPath("raw"), found.manifest(), dict(found.bodies))
    (kind,) = (one for one in KINDS if one.table is Projects)
    names = set(listing(kind, kept).rows["name"])
    assert names == {
        "Default",
        "Search assistant",
        "Support desk",
        "Pilot 2025",
        "Default workspace",
    }
    assert {one["name"] for one in ask("workspaces").json()["data"]} == {
        "Search assistant",
        "Support desk",
    }


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("analytics/cost", {"limit": "1001"}, 400),
        ("analytics/cost", {"group_by[]": "planet"}, 400),
        (
            "analytics/cost",
            {"starting_at": "2025-12-01T00:00:00Z", "ending_at": "2025-12-02T00:00:00Z"},
            400,
        ),
        ("analytics/cost", {"starting_at": "2026-01-01T00:00:00Z"}, 400),
        ("analytics/cost", {"page": "next"}, 400),
        ("cost_report", {"group_by[]": "api_key_id"}, 400),
        ("users", {"after_id": "user_none"}, 400),
    ],
)
def test_a_question_that_the_vendor_refuses_is_refused_in_its_words(
    path: str, params: dict[str, str], status: int
) -> None:
    response = ask(path, **params)
    assert response.status_code == status
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_key_is_refused_and_not_repeated() -> None:
    response = ask("analytics/cost", key="sk-ant-api03-wrong")
    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")
    assert "wrong" not in response.text
