"""Every place of a home with every kind of damage: named, set aside, rebuilt, and no trace.

The real commands on one small home that is made once and copied. A test harms several places at
once: what one of them breaks must not hide the others.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb
import pytest

from openai_costs.cli.commands import main
from openai_costs.kernel.days import utc_now
from openai_costs_tests.org import calm

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from pathlib import Path

TODAY: Final = utc_now().date()
FIRST, LAST_SETTLED = TODAY - timedelta(days=4), TODAY - timedelta(days=2)
SETTINGS: Final = f"""
[[connections]]
name = "sample"
base_url = "sample://organization?seed=7&days=7&today={TODAY}&rows_per_day=0"
start = {FIRST}
access = "costs_only"
organization_id = "org-tidewatermaps"

[[budgets]]
name = "small"
limit_usd = 1
"""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("damage") / "home"
    home.mkdir()
    (home / "openai_costs.toml").write_text(SETTINGS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_COSTS_HOME", str(home))
        patch.setenv("OPENAI_ADMIN_KEY", "sk-admin-sample")
        patch.delenv("OPENAI_COSTS_CONFIG", raising=False)
        assert run(patch, "backfill") == 0
        assert run(patch, "backfill") == 0
    return home


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


PLACES: Final[dict[str, Callable[[Path], Path]]] = {
    "a data file of slices": lambda home: newest(home / "lake/core/spend", "part-*.parquet"),
    "the log of a table": lambda home: max((home / "lake/mart/spend/_delta_log").glob("0*.json")),
    "a whole table": lambda home: newest(home / "lake/mart/coverage", "part-*.parquet"),
    "findings in the lake": lambda home: newest(home / "lake/mart/findings", "part-*.parquet"),
    "the page": lambda home: home / "report/index.html",
    "Dagster's history": lambda home: home / "dagster/history/runs.db",
    "the database": lambda home: home / "published/openai_costs.duckdb",
}
"""What is damaged at once; apart from it what needs the rest to be sound."""

ALONE: Final[dict[str, tuple[Callable[[Path], Path], ...]]] = {
    "the log of slices, and the record": (
        lambda home: newest(home / "lake/slice_log/_delta_log", "0*.checkpoint.parquet"),
        lambda home: min((home / "record/findings").glob("*.json")),
    ),
    "a data file of the log of slices": (
        lambda home: newest(home / "lake/slice_log", "part-*.parquet"),
    ),
}


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


HARMS: Final = (empty, truncated, foreign, missing, flipped)
UNSEEN: Final = {
    ("the page", flipped),  # a browser shows it all the same
    ("the page", missing),
    ("the database", missing),
    ("Dagster's history", missing),
    ("Dagster's history", truncated),
    ("Dagster's history", empty),  # an empty file is a database without tables
}
"""What is not a damage to anybody."""


def named(place: str, harm: Callable[[Path], None], file: Path, text: str) -> bool:
    shown = file.parents[1].name if place == "the log of a table" else file.name
    return (place, harm) in UNSEEN or shown in text


def test_a_sound_home_has_neither_damaged_nor_foreign_files(copy: Commands) -> None:
    assert {"stored files", "foreign files", "published files"}.isdisjoint(copy.facts())


@pytest.mark.parametrize("harm", HARMS)
def test_damage_everywhere_is_named_and_one_backfill_makes_it_good(
    sound: Path, copy: Commands, harm: Callable[[Path], None]
) -> None:
    files = {place: find(copy.home) for place, find in PLACES.items()}
    for file in files.values():
        harm(file)
    doctor, verify = copy("doctor"), copy("verify")
    for command in ("findings", "report"):
        copy(command)
    for place, file in files.items():
        if place == "the database":
            continue
        assert named(place, harm, file, verify.out), (place, verify.out)
    assert doctor.code == verify.code == 1
    deep = ["--offline"] if harm is flipped else []  # every value is read
    made_good = copy("backfill", *deep)
    assert made_good.code == 0, made_good.out
    assert settled_usd(copy.home) == settled_usd(sound)
    assert copy("verify").code == 0
    assert "stored files" not in copy.facts()


@pytest.mark.parametrize("harm", [truncated, missing])
@pytest.mark.parametrize("place", ALONE)
def test_damage_to_what_knows_the_rest_is_named_and_made_good(
    sound: Path, copy: Commands, place: str, harm: Callable[[Path], None]
) -> None:
    files = [find(copy.home) for find in ALONE[place]]
    for file in files:
        harm(file)
    told = copy("verify").out
    for file in files:
        assert file.name in told or file.parents[1].name in told
    assert copy.facts()["stored files"][0] == "FAIL"
    made_good = copy("backfill")
    assert made_good.code == 0, made_good.out
    assert settled_usd(copy.home) == settled_usd(sound)
    assert "stored files" not in copy.facts()
    assert copy("findings").code == 0


def test_foreign_and_copied_files_are_named_and_change_nothing(sound: Path, copy: Commands) -> None:
    strewn = []
    for folder in ("raw", "lake", "record", "published", "report"):
        for below in [path for path in (copy.home / folder).rglob("*") if path.is_dir()]:
            for file in [one for one in below.iterdir() if one.is_file()][:1]:
                strewn.append(below / f"{file.stem} (1){file.suffix}")
                shutil.copyfile(file, strewn[-1])
            strewn.append(below / ".DS_Store")
            foreign(strewn[-1])
    state, text = copy.facts()["foreign files"]
    assert state == "WARN"
    assert " more file" in text
    assert "Foreign files, not read and no part of any sum: " in copy("verify").out
    assert copy("verify").code == 0
    assert copy("backfill").code == 0
    assert settled_usd(copy.home) == settled_usd(sound)


def test_a_page_that_is_a_copy_of_another_day_is_not_used(sound: Path, copy: Commands) -> None:
    pages = copy.home / "raw/openai/sample/costs"
    other, own = (max((pages / str(one)).iterdir()) for one in (FIRST, LAST_SETTLED))
    os.replace(own, own.parent / "kept")  # noqa: PTH105 - a name of no page
    shutil.copyfile(other, own)
    assert f"is a copy of {FIRST}" in copy("verify").out
    copy("backfill")
    assert settled_usd(copy.home) == settled_usd(sound)
    assert copy("verify").code == 0
