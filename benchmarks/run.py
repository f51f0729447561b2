"""Starts the server and the subjects, each as a process of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from work import FIRST_DAY, Task, epoch

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Server:
    """The running server of one size.

    Args:
        address: Its root.
        rows: Ledger rows a day.
        bucket_bytes: Bytes of a day in the ledger's grouping.
        groupings: The groupings of a complete read, the ledger's first.
    """

    address: str
    rows: int
    bucket_bytes: int
    groupings: tuple[tuple[str, ...], ...]

    def total(self, days: int) -> Decimal:
        """Return the exact dollars of the first days."""
        end = epoch(FIRST_DAY + timedelta(days=days))
        return Decimal(self._say(f"/total?start_time={epoch(FIRST_DAY)}&end_time={end}"))

    def cpu(self) -> float:
        """Return the CPU seconds the server has used."""
        return float(self._say("/cpu"))

    def task(self, home: Path, days: int, *, last_only: bool = False) -> Task:
        """Return the task of reading the first days from this server."""
        url = f"{self.address}/v1"
        return Task(url, home, days, self.bucket_bytes, self.groupings, last_only=last_only)

    def _say(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path) as answer:  # noqa: S310 - our own server
            return answer.read().decode()


@dataclass(frozen=True)
class Run:
    """One run of one subject.

    Args:
        subject: Its name.
        days: Days it read.
        rows: Rows the server had for it.
        figures: What it measured of itself.
        server_cpu: CPU seconds the server spent on it.
        off_by: Stored total less control total; None when nothing is stored.
    """

    subject: str
    days: int
    rows: int
    figures: dict[str, Any]
    server_cpu: float
    off_by: Decimal | None


@contextmanager
def serving(rows: int, *, has_user_view: bool) -> Iterator[Server]:
    """Start a server for a number of rows a day, and stop it afterwards."""
    command = [sys.executable, str(HERE / "server.py"), "--rows", str(rows)]
    command += ["--user-view"] if has_user_view else []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None:  # pragma: no cover
                raise SystemExit("The server has no output.")
            said = json.loads(process.stdout.readline())
            yield Server(
                f"http://127.0.0.1:{said['port']}",
                rows,
                said["bucket_bytes"],
                tuple(map(tuple, said["groupings"])),
            )
        finally:
            process.terminate()


@contextmanager
def scratch(keep: bool = False) -> Iterator[Path]:  # noqa: FBT001, FBT002 - reads well enough
    """Give an empty folder, and remove it unless it is kept."""
    folder = Path(tempfile.mkdtemp(prefix="openai-costs-bench-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def run(subject: str, server: Server, task: Task, python: str = sys.executable) -> Run:
    """Run a subject on a task and compare what it stored with the control total."""
    given = asdict(task) | {"home": str(task.home)}
    answer = task.home / "figures.json"
    before = server.cpu()
    done = subprocess.run(
        [python, str(HERE / "subject.py"), subject, json.dumps(given), str(answer)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(HERE.parent), "DAGSTER_HOME": ""},
    )
    spent = server.cpu() - before
    if done.returncode:
        raise SystemExit(f"{subject} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    figures = json.loads(answer.read_text(encoding="utf-8"))
    total = figures["total"]
    off_by = None if total is None else Decimal(total) - server.total(task.days)
    days = 1 if task.last_only else task.days
    return Run(subject, days, days * server.rows, figures, spent, off_by)
