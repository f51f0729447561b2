"""Faults of the machine: every command ends in one sentence, and leaves the home as it was."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
import traceback
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

import pytest

from openai_costs.cli.commands import main
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Callable

MUTE: Final = ("mute", "ID", "--reason", "known", "--until", "2999-01-01")
FORGET: Final = ("forget-user", "USER")
READING: Final = (("verify",), ("findings",), FORGET)
WRITING: Final = (
    ("backfill",),
    ("backfill", "--offline", "--from", "DAY", "--to", "DAY"),
    MUTE,
    ("deliver",),
    ("report",),
    (*FORGET, "--yes"),
)
DOCTOR: Final = ("doctor", "--json")
_CAPABILITIES, _OVERRIDES = 0x20080522, 0b110


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def obey_permissions() -> None:
    """Let a process of the superuser need permissions like anybody's."""
    of_this_process, held = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    system = ctypes.CDLL(None)
    assert system.capget(of_this_process, held) == 0
    for effective_or_permitted in (0, 1):
        held[effective_or_permitted] &= ~_OVERRIDES
    assert system.capset(of_this_process, held) == 0


def write_no_large_file() -> None:
    """Let the disk be full for every file of more than 16 KB; what commands print fits in it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))


def a_file_is_the_home(home: Path) -> Path:
    taken = home.parent / "taken"
    taken.write_text("mine", encoding="utf-8")
    return taken


def a_file_is_above_the_home(home: Path) -> Path:
    return a_file_is_the_home(home) / "data"


def a_file_is_the_lake(home: Path) -> Path:
    (home / "lake").rename(home.parent / "elsewhere")
    (home / "lake").write_text("mine", encoding="utf-8")
    return home


def no_right_to_write(home: Path) -> Path:
    return _closed(home, 0o555)


def no_right_to_read(home: Path) -> Path:
    for name in ("lake", "raw", "published", "report", "record"):
        if (home / name).exists():
            (home / name).chmod(0)
    return home


def the_disk_is_full(home: Path) -> Path:
    return home


def _closed(home: Path, mode: int) -> Path:
    for folder in (home, *(path for path in home.rglob("*") if path.is_dir())):
        folder.chmod(mode)
    return home


class Fault(NamedTuple):
    """A fault of the machine.

    Args:
        harm: Makes it in a home, and returns the home of the commands.
        before: What the process of the commands does first.
        cause: What every sentence names.
        fails: The commands that cannot do what they are for.
    """

    harm: Callable[[Path], Path]
    before: Callable[[], None]
    cause: str
    fails: tuple[tuple[str, ...], ...]


EVERY: Final = (*READING, *WRITING)
FAULTS: Final = (
    Fault(a_file_is_the_home, obey_permissions, "Not a directory", EVERY),
    Fault(a_file_is_above_the_home, obey_permissions, "Not a directory", EVERY),
    Fault(a_file_is_the_lake, obey_permissions, "Not a directory", EVERY),
    Fault(no_right_to_write, obey_permissions, "Permission denied", WRITING),
    Fault(no_right_to_read, obey_permissions, "Permission denied", EVERY),
    Fault(
        the_disk_is_full,
        write_no_large_file,
        "File too large",
        WRITING,
    ),
)


@pytest.fixture
def filled(of_the_commands: Path) -> Path:
    """A small home, whose provider answers in the process."""
    return of_the_commands


def run_commands(
    before: Callable[[], None],
    commands: list[list[str]],
    environment: dict[str, str],
    streams: str,
) -> None:
    """One process of its own: run commands after something, each in a process that it forks."""
    before()
    os.chdir(Path(main.__code__.co_filename).parents[2])
    os.environ.clear()
    os.environ.update(environment)
    for number, words in enumerate(commands):
        child = os.fork()
        if child == 0:
            run_command(words, f"{streams}/{number}")
        _, status = os.waitpid(child, 0)
        Path(f"{streams}/{number}.code").write_text(str(os.waitstatus_to_exitcode(status)))


def run_command(words: list[str], streams: str) -> NoReturn:
    """Be the process of one command, and end with it."""
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{streams}.{name}", os.O_WRONLY | os.O_CREAT), stream)
    sys.argv = ["openai-costs", *words]
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - the process ends here, and a test reads what it printed
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run_all(fault: Fault, filled: Path, folder: Path) -> tuple[dict[tuple[str, ...], Ended], bool]:
    """How each command ended, and whether all files are as they were."""
    copytree(filled, folder / "home")
    (folder / "streams").mkdir()
    home = fault.harm(folder / "home")
    before = contents(folder / "home")
    known = {"ID": first_finding(filled), "DAY": newest_day(filled), "USER": first_user(filled)}
    commands = [*EVERY, DOCTOR]
    words = [[known.get(word, word) for word in one] for one in commands]
    environment = {
        "PATH": os.defpath,
        "OPENAI_ADMIN_KEY": "sk-admin-sample",
        "OPENAI_COSTS_HOME": str(home),
        "OPENAI_COSTS_CONFIG": str(filled / "openai_costs.toml"),
    }
    process = started(run_commands, fault.before, words, environment, str(folder / "streams"))
    process.join(600)
    assert process.exitcode == 0
    ended = {
        one: Ended(
            int(text(folder / f"streams/{number}.code")),
            *(text(folder / f"streams/{number}.{name}") for name in ("out", "err")),
        )
        for number, one in enumerate(commands)
    }
    _closed(folder / "home", 0o755)
    return ended, contents(folder / "home") == before


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def contents(home: Path) -> dict[str, str]:
    """Digests of all files, apart from locks, which are empty."""
    found = (path for path in sorted(home.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(home)): sha256(path.read_bytes()).hexdigest()
        for path in found
        if os.access(path, os.R_OK) and path.suffix != ".lock"
    }


def first_finding(home: Path) -> str:
    return str(Lake(place(str(home))).read(Findings)["finding_id"][0])


def first_user(home: Path) -> str:
    return str(Lake(place(str(home))).read(SpendAttribution)["user_id"].drop_nulls()[0])


def newest_day(home: Path) -> str:
    return max(path.name for path in (home / "raw/openai/sample/costs").iterdir())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.harm.__name__)
def test_every_command_names_a_fault_of_the_machine_in_one_sentence_and_changes_nothing(
    fault: Fault, filled: Path, tmp_path: Path
) -> None:
    ended, is_unchanged = run_all(fault, filled, tmp_path)
    doctor = ended.pop(DOCTOR)
    facts = {fact["about"]: fact for fact in json.loads(doctor.out)}
    assert facts["home"]["state"] == "FAIL"
    assert fault.cause in facts["home"]["said"]
    assert doctor.code == 1
    for words, (code, out, err) in ended.items():
        assert "Traceback" not in out + err, words
        if words not in fault.fails:
            assert fault.harm is not no_right_to_write or code == 0, (words, err)
            continue
        assert code == 1, words
        assert err.count("\n") == 1, (words, err)
        assert fault.cause in err, words
        assert str(tmp_path) in err, words
        assert err.count(fault.cause) == 1, (words, err)
    assert is_unchanged
