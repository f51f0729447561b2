"""Which clock alerts believe: ours, unless a server contradicts it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from upath import UPath

from openai_costs.kernel.clock_skew import SkewAwareClock
from openai_costs.kernel.days import naive
from openai_costs.outputs.alerts.confirmed_time import USUAL, confirmed
from openai_costs.settings.load import Settings
from openai_costs.sources.http.server_date import asked_date, date_in
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.outputs.alerts.fixtures import NOW, alerts, route
from openai_costs_tests.outputs.alerts.servers import closed_port, http_inbox

MONTH = timedelta(days=40)
NAMES: Final = ("acme", "labs", "ferry", "hooks")


class Servers:
    """Hosts with a clock each; one that is not there does not answer."""

    def __init__(self, **clocks: datetime) -> None:
        self.clocks, self.asked = clocks, list[str]()

    def __call__(self, address: str) -> datetime | None:
        host = address.split("/")[2].split(".", maxsplit=1)[0]
        self.asked.append(host)
        return self.clocks.get(host)


@pytest.fixture(autouse=True)
def urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(f"{name.upper()}_URL", f"https://{name}.example/s3cr3t")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A home whose newest read is of NOW."""
    made = Lake(UPath(tmp_path))
    slices = {Slice("acme", NOW.date()): NOW, Slice("labs", NOW.date()): NOW - MONTH}
    made.replace(SpendControl, [Batch(SpendControl.no_rows(), slices)])
    return made


def settings(*routes: str) -> Settings:
    return Settings(
        home="nowhere",
        config_file=Path("openai_costs.toml"),
        connections=(OpenAIConnection(name="acme", base_url="https://provider.example/v1"),),
        alerts=alerts(*(route(one, url_env=f"{one.upper()}_URL") for one in routes)),
    )


def believed(lake: Lake, ours: datetime, servers: Servers, *, of: Settings) -> datetime:
    return confirmed(lake, of, lambda: ours, servers)()


def test_a_clock_of_a_day_after_the_newest_read_is_believed_without_asking(lake: Lake) -> None:
    servers = Servers(acme=NOW - MONTH)
    for ours in (NOW, NOW + USUAL, NOW - timedelta(minutes=59)):
        assert believed(lake, ours, servers, of=settings("acme")) == ours
    assert servers.asked == []


def test_a_clock_far_from_the_newest_read_is_the_servers_on_either_side(lake: Lake) -> None:
    for ours in (NOW + MONTH, NOW - MONTH):
        assert believed(lake, ours, Servers(acme=NOW), of=settings("acme")) == NOW


def test_a_machine_that_was_off_for_long_is_believed_as_a_server_agrees(lake: Lake) -> None:
    ours = NOW + timedelta(days=100)
    servers = Servers(labs=ours - MONTH, acme=ours)
    assert believed(lake, ours, servers, of=settings("labs", "acme", "ferry")) == ours
    assert servers.asked == ["labs", "acme"]


def test_without_any_answer_or_read_our_clock_is_all_there_is(lake: Lake, tmp_path: Path) -> None:
    ours = NOW + MONTH
    assert believed(lake, ours, Servers(), of=settings("acme")) == ours
    servers = Servers(acme=NOW)
    empty = Lake(UPath(tmp_path / "empty"))
    assert believed(empty, ours, servers, of=settings("acme")) == ours
    assert servers.asked == []


def test_few_hosts_are_asked_and_a_provider_never(lake: Lake) -> None:
    servers = Servers()
    believed(lake, NOW + MONTH, servers, of=settings("unset", *NAMES))
    assert servers.asked == list(NAMES[:3])


def test_a_clock_that_was_compared_in_this_run_is_not_compared_again(lake: Lake) -> None:
    compared, servers = SkewAwareClock(lambda: NOW - MONTH), Servers()
    compared.compare("acme", NOW)
    assert confirmed(lake, settings("acme"), compared, servers)() == NOW
    assert servers.asked == []


def test_a_contradicted_clock_is_named_with_both_times(lake: Lake) -> None:
    found = confirmed(lake, settings("acme"), lambda: NOW + MONTH, Servers(acme=NOW))
    assert found.report() == (
        "This machine's clock is 40 days ahead of the server of acme.example (2027-01-02 12:00 "
        "here, 2026-11-23 12:00 UTC there). The server's counts. Set the clock right."
    )


def test_a_host_is_asked_for_its_date_without_path_key_or_body() -> None:
    with http_inbox() as inbox:
        found = asked_date(inbox.url.replace("http://", "http://user:s3cr3t@"))
        (request,) = inbox.heads
    assert found is not None
    assert naive(found).year >= NOW.year
    assert request.startswith("HEAD / ")
    assert "s3cr3t" not in request
    assert "Authorization" not in request


def test_a_host_that_does_not_answer_or_an_odd_address_has_no_date() -> None:
    odd = ("slack://token", "not an address", "https://a b", "")
    for address in (f"http://127.0.0.1:{closed_port()}/x", *odd):
        assert asked_date(address) is None
    assert date_in("yesterday") is None
