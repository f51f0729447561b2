"""One subject in a process of its own, with its clock, its CPU seconds and its memory.

Started by ledger.py. The clock and the CPU seconds begin after the imports, which are reported
beside them; memory is the peak of the whole process, with the memory after the imports beside it.
Of a subject that starts a process, clock, CPU seconds and memory are those of that process too.
The stored total is read back when the clock has stopped.
"""

import importlib
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from work import Outcome, Subject, Task

SUBJECTS = {
    "download": "baselines:download",
    "parse": "baselines:download_and_parse",
    "ours": "ours:without_orchestrator",
    "dagster": "ours_in_dagster:through_dagster",
    "command": "ours_as_command:backfill",
    "dlt_rest": "dlt_forms:rest_api",
    "dlt_arrow": "dlt_forms:arrow",
}

OURS = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
"""This process, and those that it has waited for."""


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    wall: float
    cpu: float
    rows: int
    peak_mb: float
    imports_mb: float
    imports_s: float
    phases: dict[str, float]
    total: str | None
    stored_as: str


def peak_mb() -> float:
    """Return the largest resident memory so far, of this process or one that it waited for."""
    in_bytes = sys.platform == "darwin"
    peak = max(resource.getrusage(who).ru_maxrss for who in OURS)
    return peak / (1024 * 1024 if in_bytes else 1024)


def cpu() -> float:
    """Return user and system seconds of this process and of the processes it waited for."""
    used = map(resource.getrusage, OURS)
    return sum(one.ru_utime + one.ru_stime for one in used)


def find(name: str) -> Subject:
    """Import a subject."""
    module, _, function = SUBJECTS[name].partition(":")
    found: Subject = getattr(importlib.import_module(module), function)
    return found


def measured(name: str, task: Task) -> Figures:
    """Run a subject and measure it."""
    began = time.perf_counter()
    subject = find(name)
    imports_s, imports_mb = time.perf_counter() - began, peak_mb()
    used, began = cpu(), time.perf_counter()
    outcome: Outcome = subject(task)
    wall, used, peak = time.perf_counter() - began, cpu() - used, peak_mb()
    total, stored_as = outcome.stored_total()
    return Figures(
        wall=wall,
        cpu=used,
        rows=outcome.rows,
        peak_mb=peak,
        imports_mb=imports_mb,
        imports_s=imports_s,
        phases=outcome.phases,
        total=None if total is None else str(total),
        stored_as=stored_as,
    )


def main() -> None:
    """Run the subject named first on the task given as JSON, and write the figures as JSON."""
    name, given, answer = sys.argv[1:]
    task = json.loads(given)
    task["home"] = Path(task["home"])
    task["groupings"] = tuple(map(tuple, task["groupings"]))
    Path(answer).write_text(json.dumps(asdict(measured(name, Task(**task)))), encoding="utf-8")


if __name__ == "__main__":
    main()
