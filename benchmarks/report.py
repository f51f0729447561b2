"""The figures as tables for a person: medians, and ratios against download and parse."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from run import Run

TITLES = {
    "download": "download only",
    "parse": "download + parse",
    "ours": "ours, no orchestrator",
    "dagster": "ours, through Dagster",
    "command": "ours, the command backfill",
    "dlt_rest": "dlt rest_api",
    "dlt_arrow": "dlt, hand-written Arrow",
}
WHOLE = ("coverage", "publish")
"""Phases of ours that look at the whole history by nature."""

ENGINE_SECONDS = 4
"""CPU seconds that the engine and its steps may cost."""

HEADS = (
    "subject", "days", "wall s", "CPU s", "rows/s", "x wall", "x CPU",
    "peak MB", "imports MB", "imports s", "server CPU s", "stored total",
)  # fmt: skip


class Medians:
    """The medians of a subject's runs."""

    def __init__(self, runs: Sequence[Run], days: int) -> None:
        self.runs = runs
        self.name, self.days, self.rows = runs[0].subject, runs[0].days, runs[0].rows
        self.scale = days / self.days
        self.wall = self._of(lambda run: run.figures["wall"])
        self.cpu = self._of(lambda run: run.figures["cpu"])
        self.server_cpu = self._of(lambda run: run.server_cpu)
        self.peak_mb = max(run.figures["peak_mb"] for run in runs)

    def _of(self, figure: Callable[[Run], float]) -> float:
        return median(map(figure, self.runs))

    def cells(self, floor: "Medians | None") -> list[str]:
        """Return a row of the table; a subject that read fewer days is scaled and marked."""
        mark = "" if self.scale == 1 else "~"
        wall, cpu = self.wall * self.scale, self.cpu * self.scale
        return [
            TITLES[self.name],
            str(self.days),
            f"{mark}{wall:.2f}",
            f"{mark}{cpu:.2f}",
            f"{self.rows / self.wall:,.0f}",
            f"{mark}{wall / floor.wall:.2f}" if floor else "-",
            f"{mark}{cpu / floor.cpu:.2f}" if floor else "-",
            f"{self.peak_mb:.0f}",
            f"{self._of(lambda run: run.figures['imports_mb']):.0f}",
            f"{self._of(lambda run: run.figures['imports_s']):.1f}",
            f"{self.server_cpu:.2f}",
            verdict(self.runs),
        ]


def verdict(runs: Iterable[Run]) -> str:
    """Say whether every run stored exactly what the server's control total says."""
    worst = max(runs, key=lambda run: abs(run.off_by or 0))
    if worst.off_by is None:
        return "-"
    kind = worst.figures["stored_as"]
    return f"exact ({kind})" if worst.off_by == 0 else f"off by {worst.off_by:+.3E} USD ({kind})"


def size_report(rows: int, days: int, runs: Sequence[Run]) -> list[str]:
    """Return the table of one size, and what is worth saying below it."""
    found = {
        name: Medians([run for run in runs if run.subject == name], days)
        for name in TITLES
        if any(run.subject == name for run in runs)
    }
    floor = found.get("parse")
    lines = [
        "",
        f"## {rows:,} rows a day, {days} days, {rows * days:,} rows",
        "",
        *table(HEADS, [one.cells(floor) for one in found.values()]),
    ]
    if any(one.scale != 1 for one in found.values()):
        lines.append(f"~ read fewer days; wall and CPU are scaled to {days} days in proportion.")
    return [*lines, *_phases(found.get("ours")), *_goal(found), *_against(found)]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table, its columns aligned."""
    wide = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(row, wide, strict=True)) + " |"
        for row in (heads, *rows)
    ]
    return [lines[0], "|" + "|".join("-" * (n + 2) for n in wide) + "|", *lines[1:]]


def _phases(ours: Medians | None) -> list[str]:
    if ours is None:
        return []
    seconds = {
        name: median(run.figures["phases"][name] for run in ours.runs)
        for name in ours.runs[0].figures["phases"]
    }
    said = ", ".join(f"{name} {wall:.2f} s" for name, wall in seconds.items())
    return [f"ours, by phase (wall): {said}."]


def _goal(found: dict[str, Medians]) -> list[str]:
    """Say what the command may cost: the engine, and twice what the pages cost by themselves."""
    if not {"parse", "command"} <= found.keys():
        return []
    goal, took = ENGINE_SECONDS + 2 * found["parse"].cpu, found["command"].cpu
    text = f"The command took {took:.1f} CPU s with its imports. Its goal is {goal:.1f}: "
    return [f"{text}{ENGINE_SECONDS} and twice download + parse."]


def _against(found: dict[str, Medians]) -> list[str]:
    """Say how much faster ours is than each of the others that load a database."""
    lines = []
    for name in ("dlt_rest", "dlt_arrow"):
        for mine in ("ours", "dagster", "command"):
            if name in found and mine in found:
                a, b = found[name], found[mine]
                wall = a.wall * a.scale / (b.wall * b.scale)
                cpu = a.cpu * a.scale / (b.cpu * b.scale)
                lines.append(
                    f"{TITLES[mine]}: {wall:.1f}x faster than {TITLES[name]} ({cpu:.1f}x less CPU)."
                )
    return lines


def again_report(rows: int, runs: dict[int, list[Run]]) -> list[str]:
    """Return what one day costs a subject again, by how many days the lake already holds."""
    title = TITLES[next(iter(runs.values()))[0].subject]
    lines = ["", f"## One day again, {rows:,} rows a day: {title}", ""]
    names = list(next(iter(runs.values()))[0].figures["phases"])
    heads = ("days held", "wall s", "CPU s", *(f"{name} s" for name in names))
    cells, daily, cpu = [], dict[int, float](), dict[int, float]()
    for held, found in sorted(runs.items()):
        phases = {name: median(run.figures["phases"][name] for run in found) for name in names}
        daily[held] = sum(phases[name] for name in names if name not in WHOLE)
        wall, cpu[held] = (median(run.figures[name] for run in found) for name in ("wall", "cpu"))
        cells.append([str(held), *(f"{one:.3f}" for one in (wall, cpu[held], *phases.values()))])
    few, many = min(daily), max(daily)
    lines += table(heads, cells)
    lines += [f"{many} days held against {few}, CPU: {cpu[many] / cpu[few]:.2f}x."]
    if not names:
        return lines
    grows = " and ".join(WHOLE)
    return [
        *lines,
        f"The same without {grows}, wall: {daily[many] / daily[few]:.2f}x.",
        f"{grows.capitalize()} look at every day there is; publication replaces what changed.",
    ]
