from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.alerts.channels.channel import DeliveryFailed
from openai_costs.outputs.alerts.delivery import CHANNELS, deliver
from openai_costs.outputs.alerts.delivery_log import WAITS, DeliveryLog
from openai_costs.outputs.alerts.lifecycle import decide
from openai_costs.outputs.alerts.rows import (
    Delivery,
    changes_frame,
    deliveries_frame,
    findings_frame,
    rows,
)
from openai_costs.settings import Alerts
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.alerts.fixtures import (
    NOW,
    alerts,
    candidate,
    change,
    day,
    finding,
    route,
    through,
)
from openai_costs_tests.outputs.alerts.servers import http_inbox, mailbox
from openai_costs_tests.processes import started

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from openai_costs.outputs.alerts.channels.channel import Address
    from openai_costs.outputs.alerts.message import Message
    from openai_costs.outputs.alerts.rows import Change, Finding
    from openai_costs.settings import Route
    from openai_costs.settings.secrets import SecretPlace


@dataclass
class Channel:
    """A channel in memory that may be down."""

    got: list[Message] = field(default_factory=list)
    failure: Exception | None = None

    def send(self, message: Message, _address: Address) -> str:
        if self.failure:
            raise self.failure
        self.got.append(message)
        return ""

    @property
    def numbers(self) -> list[str]:
        return [one.number for one in self.got]


@dataclass
class Desk:
    """A lake with findings, and deliveries from it at a clock turned by hand."""

    lake: Lake
    now: datetime = NOW
    channel: Channel = field(default_factory=Channel)
    settings: Alerts = field(default_factory=alerts)

    def has(self, found: list[Finding], changes: list[Change]) -> None:
        self.lake.replace_whole(Findings, findings_frame(found))
        self.lake.replace_whole(FindingChanges, changes_frame(changes))

    def tick(self, **later: float) -> str:
        self.now += timedelta(**later)
        channels = dict.fromkeys(CHANNELS, self.channel.send)
        return str(deliver(self.lake, self.settings, lambda: self.now, channels, secret))

    @property
    def logged(self) -> list[Delivery]:
        return rows(Delivery, self.lake.read(Deliveries))


def secret(variable: str, asks: str) -> SecretStr:
    return SecretStr(f"{variable} for {asks}")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(Lake(UPath(tmp_path)))
    made.has([finding()], [change()])
    return made


DOWN = DeliveryFailed("HTTP 503", is_retryable=True)
BROKE = DeliveryFailed("the connection broke", is_retryable=True, may_have_arrived=True)


# --- once --------------------------------------------------------------------------------------


def test_a_change_is_sent_once_and_recorded(desk: Desk) -> None:
    assert desk.tick() == "1 sent"
    assert desk.tick(minutes=1) == "nothing to send"
    assert desk.channel.numbers == ["f1a2b3c4d5e6-1"]
    (row,) = desk.logged
    at = NOW.replace(tzinfo=None)
    assert (row.status, row.attempt, row.sent_at, row.said) == ("sent", 1, at, None)


def test_without_a_route_nothing_is_touched(desk: Desk) -> None:
    desk.settings = alerts().model_copy(update={"routes": ()})
    assert desk.tick() == "nothing to send"
    assert not desk.lake.has(Deliveries)


def test_thirty_replayed_days_deliver_each_change_once(desk: Desk) -> None:
    """Each day: judged twice, delivered twice; at the end, the whole month once more."""
    history = [
        candidate(3, 9),
        candidate(12, 12, subject_id="b"),
        candidate(20, 26, subject_id="c"),
    ]
    found: list[Finding] = []
    changes: list[Change] = []
    desk.has([], [])
    for last in [*range(1, 31), 30]:
        seen = [
            replace(one, day=min(one.day, day(last)))
            for one in history
            if one.since_day <= day(last)
        ]
        for _ in range(2):
            decision = decide(found, seen, through(last), desk.settings, day(last + 2))
            found, changes = decision.findings, [*changes, *decision.changes]
        desk.has(found, changes)
        desk.now = NOW.replace(day=1) + timedelta(days=last + 1)
        for _ in range(2):
            desk.tick(minutes=1)
    assert sorted(desk.channel.numbers) == sorted(f"{c.finding_id}-{c.change}" for c in changes)
    assert [one.kind for one in changes].count("opened") == 3
    assert [one.kind for one in changes].count("closed") == 3
    assert {row.status for row in desk.logged} == {"sent"}


def test_a_digest_is_one_message_and_a_row_per_change(desk: Desk) -> None:
    desk.settings = alerts(route(digest=True))
    other = finding(finding_id="other")
    desk.has([finding(), other], [change(), change(finding_id="other")])
    assert desk.tick() == "1 sent"
    assert [one.kind for one in desk.channel.got] == ["digest"]
    assert [row.status for row in desk.logged] == ["sent", "sent"]
    assert desk.tick(hours=1) == "nothing to send"


# --- a channel that is down --------------------------------------------------------------------


def test_a_channel_that_is_down_is_retried_after_growing_waits_and_then_given_up(
    desk: Desk,
) -> None:
    desk.channel.failure = DOWN
    assert desk.tick() == "1 waiting"
    for number, wait in enumerate(WAITS, start=2):
        assert desk.tick(seconds=wait.total_seconds() - 1) == "nothing to send"
        desk.tick(seconds=1)
        assert desk.logged[0].attempt == number
    (row,) = desk.logged
    assert (row.status, row.attempt, row.said) == ("failed", 8, "HTTP 503")
    assert list(WAITS) == sorted(WAITS)
    assert desk.tick(days=30) == "nothing to send"


def test_a_channel_that_comes_back_gets_every_message_once(desk: Desk) -> None:
    desk.channel.failure = DOWN
    desk.tick()
    desk.tick(minutes=1)
    desk.channel.failure = None
    assert desk.tick(minutes=5) == "1 sent"
    assert desk.tick(minutes=5) == "nothing to send"
    assert desk.channel.numbers == ["f1a2b3c4d5e6-1"]
    assert not desk.channel.got[0].is_possibly_repeated


def test_messages_behind_a_failed_one_wait_without_an_attempt(desk: Desk) -> None:
    ids = [f"f{number}" for number in range(5)]
    desk.has([finding(finding_id=one) for one in ids], [change(finding_id=one) for one in ids])
    desk.channel.failure = DOWN
    assert desk.tick() == "1 waiting"
    assert {(row.status, row.attempt) for row in desk.logged} == {("waiting", 1)}


def test_one_channel_that_is_down_does_not_delay_another(desk: Desk) -> None:
    broken = Channel(failure=DOWN)
    desk.settings = alerts(route("a", "slack"), route("b"))
    channels = {**dict.fromkeys(CHANNELS, desk.channel.send), "slack": broken.send}
    done = deliver(desk.lake, desk.settings, lambda: NOW, channels, secret)
    assert (done.sent, done.waiting) == (1, 1)


def test_a_refused_message_is_not_retried(desk: Desk) -> None:
    desk.channel.failure = DeliveryFailed("HTTP 404: no_service")
    assert desk.tick() == "1 failed"
    desk.channel.failure = None
    assert desk.tick(days=1) == "nothing to send"


def test_a_missing_variable_is_named_and_retried(desk: Desk) -> None:
    def missing(place: SecretPlace, asks: str) -> SecretStr:
        raise SettingsError(f"The variable {place} is not set. {asks} names it: export it.")

    deliver(desk.lake, desk.settings, lambda: NOW, CHANNELS, missing)
    assert desk.logged[0].said is not None
    assert desk.logged[0].said.startswith("The variable ALERT_URL is not set. Route 'finops'")
    assert desk.tick(minutes=1) == "1 sent"


def test_an_error_in_a_channel_is_contained_and_its_text_is_not_kept(desk: Desk) -> None:
    desk.channel.failure = ValueError("https://hooks.example/s3cr3t")
    assert desk.tick() == "1 waiting"
    assert desk.logged[0].said == "the channel failed with ValueError"


def test_a_tick_ends_before_dagster_ends_it(desk: Desk) -> None:
    ids = [f"f{number}" for number in range(20)]
    desk.has([finding(finding_id=one) for one in ids], [change(finding_id=one) for one in ids])

    def slow(_message: Message, _address: Address) -> str:
        desk.now += timedelta(seconds=9)
        return ""

    done = deliver(
        desk.lake, desk.settings, lambda: desk.now, dict.fromkeys(CHANNELS, slow), secret
    )
    assert done.sent == 3
    assert len(desk.logged) == 3


def test_the_headers_and_the_template_of_a_route_reach_the_channel(desk: Desk) -> None:
    one = route(headers={"X-Scope-OrgID": "acme"}, headers_env={"Authorization": "T"})
    desk.settings = alerts(one.model_copy(update={"body_template": "{{ title | tojson }}"}))
    got: list[Address] = []

    def channel(_message: Message, address: Address) -> str:
        got.append(address)
        return ""

    deliver(desk.lake, desk.settings, lambda: NOW, dict.fromkeys(CHANNELS, channel), secret)
    (address,) = got
    headers = {name: value.get_secret_value() for name, value in address.headers.items()}
    assert headers == {
        "X-Scope-OrgID": "acme",
        "Authorization": "T for Route 'finops' of [alerts]",
    }
    assert address.body_template == "{{ title | tojson }}"


# --- unknown outcomes --------------------------------------------------------------------------


def test_a_crash_between_sending_and_logging_repeats_at_most_once_and_is_marked(
    desk: Desk,
) -> None:
    row = Delivery("f1a2b3c4d5e6", 1, "finops", "opened", "sending", attempt=1)
    desk.lake.replace_whole(Deliveries, deliveries_frame([row]))
    assert desk.tick() == "1 sent"
    assert desk.channel.got[0].title.endswith("(possibly repeated)")
    assert desk.logged[0].is_possibly_repeated


def test_after_a_second_crash_it_is_not_sent_again(desk: Desk) -> None:
    row = Delivery("f1a2b3c4d5e6", 1, "finops", "opened", "sending", 2, is_possibly_repeated=True)
    desk.lake.replace_whole(Deliveries, deliveries_frame([row]))
    assert desk.tick() == "nothing to send"
    assert desk.channel.got == []


def test_a_broken_line_repeats_at_most_once(desk: Desk) -> None:
    desk.channel.failure = BROKE
    desk.tick()
    desk.tick(minutes=1)
    assert [(row.status, row.attempt) for row in desk.logged] == [("unclear", 2)]
    desk.channel.failure = None
    assert desk.tick(days=1) == "nothing to send"


# --- processes, with real receivers ------------------------------------------------------------


def send(home: str, url: str, how: str = "lives") -> None:
    """One process of its own: deliver; maybe be killed between sending and logging."""
    os.environ.update({"ALERT_URL": url, "ALERT_SECRET": "s1gning"})
    if how == "dies":
        DeliveryLog.sent = killed  # type: ignore[method-assign]
    settings = Alerts.model_validate_json((Path(home) / "alerts.json").read_text())
    deliver(Lake(UPath(home)), settings, lambda: datetime.now(UTC))


def killed(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def sender(home: Path, url: str, how: str = "lives") -> BaseProcess:
    return started(send, str(home), url, how)


def real(desk: Desk, *routes: Route, count: int = 1) -> Path:
    """A home with some fresh changes and its settings on disk."""
    today = datetime.now(NOW.tzinfo).date()
    ids = [f"f{number:02}" for number in range(count)]
    found = [finding(finding_id=one) for one in ids]
    desk.has(found, [change(finding_id=one, changed_day=today) for one in ids])
    home = Path(str(desk.lake.root.parent))
    (home / "alerts.json").write_text(alerts(*routes).model_dump_json())
    return home


def test_two_processes_at_once_send_each_change_once(desk: Desk) -> None:
    home = real(desk, count=12)
    with http_inbox() as inbox:
        both = [sender(home, inbox.url) for _ in range(2)]
        for one in both:
            one.join(90)
        assert [one.exitcode for one in both] == [0, 0]
    assert sorted(body["id"] for body in inbox.bodies) == [f"f{n:02}-1" for n in range(12)]


def test_a_process_killed_between_sending_and_logging_leads_to_one_marked_repetition(
    desk: Desk,
) -> None:
    home = real(desk)
    with http_inbox() as inbox:
        victim = sender(home, inbox.url, "dies")
        victim.join(90)
        assert victim.exitcode == -signal.SIGKILL
        assert [row.status for row in desk.logged] == ["sending"]
        for _ in range(3):
            sender(home, inbox.url).join(90)
    assert [body["is_possibly_repeated"] for body in inbox.bodies] == [False, True]
    assert len({headers["Idempotency-Key"] for headers, _ in inbox.got}) == 1
    assert [row.status for row in desk.logged] == ["sent"]


def test_every_channel_of_ours_delivers_over_a_real_connection(desk: Desk) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "slack": {},
        "teams": {},
        "webhook": {},
        "pagerduty": {},
        "email": {"url_env": "MAIL_URL"},
    }
    desk.settings = alerts(*(route(kind, kind, **more) for kind, more in kinds.items()))
    with http_inbox() as inbox, mailbox() as box:
        held = {"ALERT_URL": inbox.url, "ALERT_SECRET": "s1gning", "MAIL_URL": box.url}
        done = deliver(
            desk.lake,
            desk.settings,
            lambda: NOW,
            look_up=lambda place, _: SecretStr(held[str(place)]),
        )
    assert (done.sent, done.waiting, done.failed) == (5, 0, 0)
    assert (len(inbox.got), len(box.letters)) == (4, 1)
    whole = "".join(body.decode() for _, body in inbox.got)
    assert "s3cr3tpath" not in whole + str(desk.logged)
