"""The digest leaves once a week and route, and again where a channel was down."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from pydantic import SecretStr
from upath import UPath

from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.delivery import CHANNELS, deliver
from openai_costs.outputs.alerts.rows import Delivery, rows
from openai_costs.outputs.digest import sending
from openai_costs.outputs.digest.due import due, waiting
from openai_costs.outputs.digest.schedule import weekly_digest, weekly_schedule
from openai_costs.outputs.digest.sending import Outlets, send_weekly
from openai_costs.settings.alerts import Weekly
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs_tests.org import calm
from openai_costs_tests.outputs.alerts.fixtures import NOW, alerts, route
from openai_costs_tests.outputs.report.bill import page

if TYPE_CHECKING:
    from openai_costs.outputs.alerts.message import Message

SETTINGS = alerts(
    route("mail", "email", rules=()),
    route("chat", "slack", digest=True),
    weekly=Weekly(routes=("mail", "chat")),
)
DOWN = DeliveryFailed("HTTP 503", is_retryable=True)


class Post:
    """Channels in memory, of which the chat may be down."""

    def __init__(self, home: UPath) -> None:
        self.home, self.now, self.got, self.is_down = home, NOW, list[str](), False

    def send(self, message: Message, address: Address) -> str:
        if self.is_down and address.route == "chat":
            raise DOWN
        self.got.append(message.number)
        return ""

    def tick(self, chosen: sending.Chosen = due, **later: float) -> str:
        self.now += timedelta(**later)
        outlets = Outlets(dict.fromkeys(CHANNELS, self.send), lambda *_: SecretStr("x"))
        none = Path(str(self.home), "none.toml")
        site = Settings(home=str(self.home), config_file=none, alerts=SETTINGS)
        return str(send_weekly(site, lambda: self.now, chosen, outlets))

    @property
    def logged(self) -> list[tuple[str, str, int]]:
        log = rows(Delivery, Lake(self.home).read(Deliveries))
        return [(one.channel, one.status, one.attempt) for one in log]


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(sending, "page_of", lambda *_: page([(1, "web", "ana", "4")], "s"))
    return Post(UPath(tmp_path))


def test_each_route_gets_it_once_a_week(post: Post) -> None:
    assert post.tick() == "2 sent"
    assert post.tick(hours=1) == "nothing to send"
    assert post.got == ["weekly-2026-11-23-mail", "weekly-2026-11-23-chat"]
    assert post.tick(days=7) == "2 sent"


def test_a_channel_that_is_down_delays_no_other_and_gets_it_later_once(post: Post) -> None:
    post.is_down = True
    assert post.tick() == "1 sent, 1 waiting"
    assert post.tick(waiting, seconds=30) == "nothing to send"
    post.is_down = False
    assert post.tick(waiting, minutes=2) == "1 sent"
    assert post.logged == [("mail", "sent", 1), ("chat", "sent", 2)]
    assert post.tick(partial(due, is_asked=True), minutes=1) == "nothing to send"


def test_what_only_sends_again_begins_no_digest(post: Post) -> None:
    assert post.tick(waiting) == "nothing to send"
    assert not post.logged


def test_before_any_day_was_read_nothing_is_sent(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "page_of", lambda *_: None)
    assert post.tick() == "nothing to send"
    assert not post.logged


def test_a_digest_is_not_the_daily_digest_of_findings(post: Post) -> None:
    post.tick()
    lake, channels = Lake(post.home), dict.fromkeys(CHANNELS, post.send)
    assert str(deliver(lake, SETTINGS, lambda: post.now, channels)) == "nothing to send"


def test_the_schedule_is_on_where_routes_are_named(tmp_path: Path) -> None:
    on = Settings(home=str(tmp_path), config_file=tmp_path / "none.toml", alerts=SETTINGS)
    off = Settings(home=str(tmp_path), config_file=tmp_path / "none.toml")
    states = [weekly_schedule(one).default_status for one in (on, off)]
    assert states == [dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED]
    with calm():
        done = weekly_digest.execute_in_process(
            resources={
                "home": UPath(tmp_path),
                "settings": off,
                "clock": lambda: NOW,
                "lake": Lake(UPath(tmp_path)),
            }
        )
    assert done.success
