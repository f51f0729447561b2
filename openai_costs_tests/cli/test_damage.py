"""Every place of a home with every kind of damage: named, set aside, rebuilt, and no trace.

The real commands on one small home that is made once and copied. A backfill is what these tests
cost, so a test harms many places at once, each in its own way, and names the one that fails: what
one of them breaks must not hide the others.
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb
import pytest
from deltalake import DeltaTable

from openai_costs.cli.commands import main
from openai_costs.cli.stored_damage import damaged_files
from openai_costs.kernel.days import utc_now
from openai_costs.storage.files import place
from openai_costs.storage.repair import repair
from openai_costs_tests.org import calm, only_money, untraced

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from pathlib import Path

TODAY: Final = utc_now().date()
FIRST, LAST_SETTLED = TODAY - timedelta(days=3), TODAY - timedelta(days=2)


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str


@pytest.fixture
def sound(of_the_commands: Path) -> Path:
    return of_the_commands


def run(patch: pytest.MonkeyPatch, *words: str) -> int:
    """Run a command in this process; a trace is an exception, and fails the test."""
    patch.setattr(sys, "argv", ["openai-costs", *words])
    with calm():
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0


class Commands:
    """The commands on a copy of the home."""

    def __init__(
        self, home: Path, patch: pytest.MonkeyPatch, streams: pytest.CaptureFixture[str]
    ) -> None:
        self.home, self._patch, self._streams = home, patch, streams

    def __call__(self, *words: str) -> Ended:
        self._streams.readouterr()
        code = run(self._patch, *words)
        out, err = self._streams.readouterr()
        assert "Traceback" not in out + err
        return Ended(code, out + err)

    def facts(self) -> dict[str, tuple[str, str]]:
        """The facts of the doctor that are not OK."""
        told = json.loads(self("doctor", "--json").out)
        return {one["about"]: (one["state"], one["said"]) for one in told if one["state"] != "OK"}


@pytest.fixture
def copy(
    sound: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Commands:
    shutil.copytree(sound, tmp_path / "home")
    monkeypatch.setenv("OPENAI_COSTS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-sample")
    monkeypatch.delenv("OPENAI_COSTS_CONFIG", raising=False)
    return Commands(tmp_path / "home", monkeypatch, capsys)


def settled_usd(home: Path) -> list[Decimal]:
    """What readers get of the settled days, table by table."""
    tables = ("core.spend", "core.spend_control", "mart.spend", "mart.spend_by_user")
    with duckdb.connect(str(home / "published/openai_costs.duckdb"), read_only=True) as sql:
        return [
            sql.execute(
                f"SELECT sum(billed_usd) FROM {table} WHERE day <= ?",  # noqa: S608 - our own names
                [LAST_SETTLED],
            ).fetchall()[0][0]
            for table in tables
        ]


def newest(folder: Path, pattern: str) -> Path:
    return max(folder.rglob(pattern), key=lambda file: (file.stat().st_mtime_ns, str(file)))


def data(home: Path, table: str) -> Path:
    return newest(home / "lake" / table, "part-*-c000.zstd.parquet")


def log(home: Path, table: str) -> Path:
    return max((home / "lake" / table / "_delta_log").glob("0*.json"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def foreign(path: Path) -> None:
    path.write_bytes(b"\0\0\0\1Bud1" * 40)


def missing(path: Path) -> None:
    path.unlink()


def flipped(path: Path) -> None:
    """Turn one bit where every reader looks first."""
    content = bytearray(path.read_bytes())
    content[1] ^= 0x20
    path.write_bytes(content)


PAGE: Final = "report/index.html"
HISTORY: Final = "dagster/history/runs.db"
DATABASE: Final = "published/openai_costs.duckdb"
UNSEEN: Final = {
    (PAGE, flipped),  # a browser shows it all the same
    (PAGE, missing),
    *((DATABASE, harm) for harm in (empty, truncated, foreign, missing, flipped)),  # the doctor's
}
"""What is not a damage to anybody, or not one that `verify` names."""

FINDINGS: Final = ("mart/findings", "report/cost_explorer")
"""What is made besides money where the harm is to no answer of another question."""

Harm = tuple["Callable[[Path], None]", "Path"]


def harmed(home: Path, harms: list[Harm]) -> dict[str, str]:
    """Do harm, and return what `verify` must name, with what was done to which file."""
    for harm, file in harms:
        harm(file)
    below = {file: file.relative_to(home).as_posix() for _, file in harms}
    return {
        file.parents[1].name if file.parent.name == "_delta_log" else file.name: (
            f"{below[file]}: {harm.__name__}"
        )
        for harm, file in harms
        if (below[file], harm) not in UNSEEN
    }


def unnamed(names: dict[str, str], text: str) -> list[str]:
    return [what for name, what in names.items() if name not in text]


def assert_named_and_made_good(sound: Path, copy: Commands, harms: list[Harm], *words: str) -> str:
    """Do harm, and return what `verify` said of it."""
    names = harmed(copy.home, harms)
    doctor, verify = copy("doctor"), copy("verify")
    for command in ("findings", "report"):
        copy(command)
    assert unnamed(names, verify.out) == [], verify.out
    assert "FAIL  stored files: " in doctor.out
    assert doctor.code == verify.code == 1
    made_good = copy("backfill", *words)
    assert made_good.code == 0, made_good.out
    assert settled_usd(copy.home) == settled_usd(sound)
    assert copy("verify").code == 0
    assert "stored files" not in copy.facts()
    assert copy("findings").code == 0
    return verify.out


def test_a_sound_home_has_neither_damaged_nor_foreign_files(copy: Commands) -> None:
    assert {"stored files", "foreign files", "published files"}.isdisjoint(copy.facts())


def test_damage_among_foreign_files_is_named_and_one_backfill_makes_it_good(
    sound: Path, copy: Commands
) -> None:
    strew_foreign_and_copied_files(copy.home)
    state, text = copy.facts()["foreign files"]
    assert state == "WARN"
    assert " more file" in text
    verify = copy("verify")
    assert "Foreign files, not read and no part of any sum: " in verify.out
    assert verify.code == 0
    pages = copy.home / "raw/openai/sample/costs"
    other, own = (max((pages / str(one)).glob("r*Z.tar.zst")) for one in (FIRST, LAST_SETTLED))

    def copied_from_another_day(page: Path) -> None:
        shutil.copyfile(other, page)

    harms = [
        (copied_from_another_day, own),
        (empty, data(copy.home, "core/spend")),
        (truncated, data(copy.home, "core/spend_by_user")),
        (foreign, data(copy.home, "mart/spend")),
        (missing, data(copy.home, "mart/spend_by_user")),
        (empty, log(copy.home, "mart/price_check")),
        (truncated, log(copy.home, "mart/people")),
        (foreign, log(copy.home, "mart/budget_status")),
        (missing, log(copy.home, "mart/spend_attribution")),
        (empty, data(copy.home, "mart/coverage")),
        (foreign, data(copy.home, "mart/forecast")),
        (missing, data(copy.home, "mart/optimization")),
        (foreign, data(copy.home, "mart/findings")),
        (empty, data(copy.home, "mart/finding_changes")),
        *((foreign, copy.home / name) for name in (PAGE, HISTORY, DATABASE)),
    ]
    assert f"is a copy of {FIRST}" in assert_named_and_made_good(sound, copy, harms)


def test_bits_that_flipped_are_named_and_the_next_backfill_makes_it_good(
    sound: Path, copy: Commands
) -> None:
    tables = ("core/spend", "mart/spend_by_user", "mart/coverage", "mart/findings")
    files = [*(data(copy.home, one) for one in tables), log(copy.home, "mart/spend")]
    files += [copy.home / name for name in (PAGE, DATABASE)]
    with untraced(), only_money(*FINDINGS):
        assert_named_and_made_good(sound, copy, [(flipped, file) for file in files])


def test_a_day_that_does_not_tie_out_is_named_before_it_is_made_again(
    sound: Path, copy: Commands
) -> None:
    more = {"billed_usd": "billed_usd + CAST(1.5 AS DECIMAL(38,18))"}
    DeltaTable(str(copy.home / "lake/mart/spend")).update(more, predicate=f"day = date '{FIRST}'")
    with untraced(), only_money():
        made_good = copy("backfill", "--from", str(LAST_SETTLED), "--to", str(LAST_SETTLED))
    assert made_good.code == 0
    assert f"does not tie out: {FIRST} of sample: mart.spend" in made_good.out
    assert settled_usd(copy.home) == settled_usd(sound)


def test_a_damaged_file_of_what_knows_the_rest_is_named_and_set_aside_with_all_it_knows(
    copy: Commands,
) -> None:
    one, other, *_ = sorted((copy.home / "lake/slice_log").rglob("part-*.parquet"))
    harms = [(truncated, one), (missing, other), (missing, data(copy.home, "mart/findings"))]
    names, verify = harmed(copy.home, harms), copy("verify")
    assert unnamed(names, verify.out) == [], verify.out
    assert verify.code == 1
    assert_every_day_is_made_again(copy.home)


def assert_every_day_is_made_again(home: Path) -> None:
    """Where a backfill goes on from here, it goes on from the damage of the next test too."""
    assert repair(place(str(home))).lost_all
    assert damaged_files(place(str(home))) == []


def test_damage_to_the_log_of_what_knows_the_rest_is_named_and_made_good(
    sound: Path, copy: Commands
) -> None:
    def harms(harm: Callable[[Path], None]) -> list[Harm]:
        checkpoint = newest(copy.home / "lake/slice_log/_delta_log", "0*.checkpoint.parquet")
        entry = min((copy.home / "record/findings").glob("*.json"))
        return [(harm, checkpoint), (harm, entry)]

    names, verify = harmed(copy.home, harms(missing)), copy("verify")
    assert unnamed(names, verify.out) == [], verify.out
    assert verify.code == 1
    assert unnamed(names, " ".join(damaged_files(place(str(copy.home))))) == []
    assert_every_day_is_made_again(copy.home)
    assert not (copy.home / "lake/slice_log").exists()

    shutil.rmtree(copy.home)
    shutil.copytree(sound, copy.home)
    singles = [(truncated, data(copy.home, "mart/findings"))]
    singles += [(missing, copy.home / PAGE), (truncated, copy.home / DATABASE)]
    with untraced(), only_money(*FINDINGS):
        assert_named_and_made_good(sound, copy, [*harms(truncated), *singles])
    [aside] = (copy.home / "set_aside/lake").glob("slice_log*")
    assert (aside / "_delta_log").is_dir()


FILES: Final = (
    ".writers.lock",
    "mutes.json",
    "raw/openai/sample/learned.json",
    "lake/.repair.lock",
    "published/.publishing.lock",
    DATABASE,
    PAGE,
    HISTORY,
)
FOLDERS: Final = (
    "raw/openai/sample/directory",
    "lake/core/spend_by_user/_delta_log",
    "lake/core/spend",
    "record/findings",
    "published/parquet/core.spend",
    "published/focus",
)


def test_what_stands_in_the_place_of_another_is_named_and_one_backfill_sets_it_aside(
    sound: Path, copy: Commands
) -> None:
    for name in FILES:
        (copy.home / name).unlink(missing_ok=True)
        (copy.home / name).mkdir()
    for name in FOLDERS:
        shutil.rmtree(copy.home / name, ignore_errors=True)
        (copy.home / name).touch()
    names = {name: name for name in (*FILES, *FOLDERS)}
    state, text = copy.facts()["stored files"]
    assert (state, "a folder in the place of a file" in text) == ("FAIL", True)
    assert unnamed(names, copy("verify").out) == []
    assert "foreign files" not in copy.facts()
    made_good = copy("backfill")
    assert made_good.code == 0, made_good.out
    assert unnamed(names, made_good.out) == []
    assert settled_usd(copy.home) == settled_usd(sound)
    assert copy("verify").code == 0
    assert "stored files" not in copy.facts()
    assert [name for name in names if not (copy.home / "set_aside" / name).exists()] == []


def test_a_folder_in_the_place_of_the_page_goes_where_the_page_is_written(copy: Commands) -> None:
    (copy.home / PAGE).unlink()
    (copy.home / PAGE).mkdir()
    report = copy("report")
    assert report.code == 0
    assert f"Set aside: {copy.home / PAGE} is a folder in the place of a file." in report.out
    assert (copy.home / PAGE).is_file()


def strew_foreign_and_copied_files(home: Path) -> None:
    for folder in ("raw", "lake", "record", "published", "report"):
        for below in [path for path in (home / folder).rglob("*") if path.is_dir()]:
            for file in [one for one in below.iterdir() if one.is_file()][:1]:
                shutil.copyfile(file, below / f"{file.stem} (1){file.suffix}")
            foreign(below / ".DS_Store")
