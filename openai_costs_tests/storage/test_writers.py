from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.storage import leases, locks, writers
from openai_costs.storage.locks import LockHeld, no_writers, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = json.dumps({"process": 41, "host": "worker-2", "beat": 0, "is_free": False}).encode()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[UPath]:
    """A home on an object store: fsspec's, in memory."""
    monkeypatch.setattr(locks, "LONGEST_SECONDS", 0.4)
    yield UPath(f"memory://{uuid4().hex}/home")
    writers.end_all()


def notes(home: UPath) -> list[UPath]:
    folder = home / ".writers.lock/writers"
    return list(folder.iterdir()) if folder.exists() else []


def test_who_writes_has_one_note_however_often(home: UPath) -> None:
    with writing(home), writing(home):
        [first] = notes(home)
    with writing(home):
        assert notes(home) == [first]


def test_who_is_alone_waits_for_writers_elsewhere_and_says_who_they_are(home: UPath) -> None:
    (home / ".writers.lock/writers/other.json").write_bytes(OTHER)
    expected = "home is in use by process 41 on worker-2. This command waited"
    with pytest.raises(LockHeld, match=expected), no_writers(home):
        pass


def test_a_writer_that_was_killed_holds_no_one_for_long(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "LEASE_SECONDS", 0.2)
    (home / ".writers.lock/writers/killed.json").write_bytes(OTHER)
    with no_writers(home):
        assert notes(home) == []


def test_no_one_writes_while_another_machine_is_alone(home: UPath) -> None:
    (home / ".writers.lock/alone/00000003.json").write_bytes(OTHER)
    with pytest.raises(LockHeld, match="process 41 on worker-2"), writing(home):
        pass
    assert notes(home) == []


def test_one_that_was_alone_and_was_killed_holds_no_one_for_long(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "LEASE_SECONDS", 0.1)
    (home / ".writers.lock/alone/00000003.json").write_bytes(OTHER)
    with writing(home):
        assert len(notes(home)) == 1


def test_who_wrote_and_is_alone_now_may_write_meanwhile(home: UPath) -> None:
    with writing(home):
        pass
    with no_writers(home), writing(home):
        assert notes(home) == []


def test_a_pause_removes_the_note_and_a_longer_block_renews_it(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "BEAT_SECONDS", 0.02)
    with writing(home):
        [first] = notes(home)
        before = first.read_bytes()
        wait_until(lambda: first.read_bytes() != before)
    wait_until(lambda: notes(home) == [])


def test_who_is_alone_gets_its_turn_between_two_writes(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "BEAT_SECONDS", 0.02)
    with writing(home):
        [mine] = notes(home)
        (home / ".writers.lock/alone/00000001.json").write_bytes(OTHER)
        threading.Event().wait(0.2)
    assert notes(home) == []
    assert leases.read(OTHER)["process"] == 41
    assert not mine.exists()


def wait_until(is_so: object) -> None:
    assert callable(is_so)
    for _ in range(250):
        if is_so():
            return
        threading.Event().wait(0.02)
    raise AssertionError("not within five seconds")
