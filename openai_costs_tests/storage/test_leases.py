from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.storage import leases
from openai_costs.storage.leases import LockLost
from openai_costs.storage.locks import LockHeld, held

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lock() -> UPath:
    """A lock on an object store: fsspec's, in memory."""
    return UPath(f"memory://{uuid4().hex}/table/.lock")


def notes(lock: UPath) -> dict[str, bool]:
    return {one.name: json.loads(one.read_bytes())["is_free"] for one in lock.iterdir()}


def test_a_lock_of_an_object_store_is_a_note_that_says_when_it_is_free(lock: UPath) -> None:
    with held(lock):
        assert notes(lock) == {"00000001.json": False}
    assert notes(lock) == {"00000001.json": True}
    with held(lock):
        assert notes(lock) == {"00000002.json": False}


def test_whoever_waits_too_long_learns_which_process_holds_it(lock: UPath) -> None:
    other = {"process": 41, "host": "worker-2", "beat": 0, "is_free": False}
    (lock / "00000007.json").write_bytes(json.dumps(other).encode())
    expected = "table is in use by process 41 on worker-2. This command waited 0 seconds"
    with pytest.raises(LockHeld, match=expected), held(lock, seconds=0.2):
        pass
    assert notes(lock) == {"00000007.json": False}


def test_a_lock_whose_holder_renews_it_no_more_passes_on(
    lock: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.3)
    (lock / "00000007.json").write_bytes(b'{"process": 41, "host": "killed", "is_free": false}')
    with held(lock, seconds=60):
        assert notes(lock) == {"00000008.json": False}


def test_a_holder_renews_its_lock_for_as_long_as_it_works(
    lock: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    with held(lock), pytest.raises(LockHeld), held(lock, seconds=0.8):
        pass
    assert notes(lock) == {"00000001.json": True}


def test_a_holder_that_stood_still_learns_that_it_lost_its_lock_and_leaves_the_other_its_note(
    lock: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    with held(lock) as still_held:
        still_held()
        (lock / "00000001.json").unlink()
        (lock / "00000002.json").write_bytes(b'{"process": 41, "is_free": false}')
        with pytest.raises(LockLost, match=r"another has taken .*/table over meanwhile\. What"):
            still_held()
        time.sleep(0.1)
        assert notes(lock) == {"00000002.json": False}
    assert notes(lock) == {"00000002.json": False}


def test_a_lock_that_another_ended_is_lost_too(
    lock: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    with held(lock) as still_held:
        (lock / "00000001.json").write_bytes(b'{"process": 41, "is_free": true}')
        with pytest.raises(LockLost):
            still_held()
        time.sleep(0.1)
        assert notes(lock) == {"00000001.json": True}


def test_a_number_that_others_had_and_removed_meanwhile_gives_no_lock(
    lock: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, others = leases.create_file, [True]

    def later(target: UPath, content: bytes) -> bool:
        if others.pop() if others else False:
            (lock / "00000002.json").write_bytes(b'{"process": 41, "is_free": false}')
        return create(target, content)

    monkeypatch.setattr(leases, "create_file", later)
    with pytest.raises(LockHeld, match="another process"), held(lock, seconds=0.2):
        pass
    assert notes(lock) == {"00000002.json": False}


def test_a_damaged_note_is_one_that_is_not_renewed(
    lock: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.2)
    (lock / "00000003.json").write_bytes(b"\0\0")
    with held(lock, seconds=60):
        assert notes(lock) == {"00000004.json": False}


def test_a_local_lock_leaves_no_note(tmp_path: Path) -> None:
    with held(UPath(tmp_path) / ".lock") as still_held:
        assert (tmp_path / ".lock").is_file()
        still_held()
