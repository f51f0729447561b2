"""How fast, how large and how exact: a year of OpenAI costs, read by us and by others.

    python benchmarks/ledger.py --dlt-python /path/to/venv-with-dlt/bin/python

See benchmarks/README.md for what the subjects are and how to read the figures.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from report import TITLES, again_report, size_report
from run import Run, Server, run, scratch, serving

AGAIN = ("ours", "command")
"""What reads a day again."""
HELD_FEW = 30
LARGE = 2_000_000
"""From this many rows on a size is run once, unless --repeat says otherwise."""


def main() -> None:
    """Measure every size, and print its table as soon as it is there."""
    options = asked()
    if options.dlt_python is None:
        print("dlt is skipped: no --dlt-python was given (an interpreter with dlt[duckdb]).")
    for rows in options.rows:
        with serving(rows, has_user_view=options.user_view) as server:
            if runs := list(size_runs(server, options)):
                say(size_report(rows, options.days, runs))
            for subject in AGAIN if "again" in options.subjects else ():
                say(again_report(rows, again_runs(subject, server, options)))


def asked() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=numbers, default=[200, 5_000, 50_000], help="rows a day")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--repeat", type=int, help="default: 3, and 1 for the largest sizes")
    parser.add_argument(
        "--slow-days", type=int, default=30, help="days for dlt rest_api when large"
    )
    parser.add_argument("--slow-rows", type=int, default=500_000, help="what counts as large")
    parser.add_argument("--dlt-python", help="an interpreter with dlt[duckdb], pyarrow, httpx")
    parser.add_argument("--subjects", type=names, default=[*TITLES, "again"])
    parser.add_argument("--user-view", action="store_true", help="the server refuses user_id")
    parser.add_argument("--quick", action="store_true", help="30 days of 200 rows, once")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.days, options.repeat = [200], 30, options.repeat or 1
    return options


def numbers(text: str) -> list[int]:
    """Return comma-separated numbers."""
    return [int(part) for part in text.split(",")]


def names(text: str) -> list[str]:
    """Return comma-separated names of subjects.

    Raises:
        ArgumentTypeError: One of them is not a subject.
    """
    found = text.split(",")
    if strange := set(found) - {*TITLES, "again"}:
        raise argparse.ArgumentTypeError(f"not a subject: {', '.join(sorted(strange))}")
    return found


def size_runs(server: Server, options: argparse.Namespace) -> Iterator[Run]:
    """Yield the runs of one size, subject after subject, round after round."""
    for turn in range(repeats(server, options)):
        for subject in options.subjects:
            if subject == "again" or (subject.startswith("dlt") and options.dlt_python is None):
                continue
            is_slow = subject == "dlt_rest" and server.rows * options.days > options.slow_rows
            days = min(options.slow_days, options.days) if is_slow else options.days
            python = options.dlt_python if subject.startswith("dlt") else sys.executable
            with scratch() as home:
                done = run(subject, server, server.task(home, days), python)
            progress(f"{server.rows} rows, round {turn + 1}", done)
            yield done


def repeats(server: Server, options: argparse.Namespace) -> int:
    """Return how often each subject is run."""
    return options.repeat or (1 if server.rows * options.days > LARGE else 3)


def again_runs(subject: str, server: Server, options: argparse.Namespace) -> dict[int, list[Run]]:
    """Fill two lakes, one with few days and one with all, and read the last day of each again."""
    held = (min(HELD_FEW, max(1, options.days // 3)), options.days)
    found: dict[int, list[Run]] = {days: [] for days in held}
    with scratch() as few, scratch() as many:
        homes = dict(zip(held, (few, many), strict=True))
        for days, home in homes.items():
            run(subject, server, server.task(home, days))
        for turn in range(options.repeat or 3):
            for days, home in homes.items():
                done = run(subject, server, server.task(home, days, last_only=True))
                progress(f"again, {days} days held, round {turn + 1}", done)
                found[days].append(done)
    return found


def progress(about: str, done: Run) -> None:
    """Say on standard error what a run took."""
    wall, peak = done.figures["wall"], done.figures["peak_mb"]
    print(f"{about}: {done.subject} {wall:.2f} s, {peak:.0f} MB", file=sys.stderr, flush=True)


def say(lines: Sequence[str]) -> None:
    """Print a report."""
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
