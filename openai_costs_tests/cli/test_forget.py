"""A home that forgets someone, used by another host: with its key, without, and with another."""

from __future__ import annotations

import json
from datetime import date
from shutil import copy, copytree, move
from typing import TYPE_CHECKING, Final, NoReturn

import pytest
from upath import UPath

from openai_costs.cli.commands import main
from openai_costs.kernel.known_texts import known
from openai_costs.storage import forget_key, forgotten
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.forget_key import key_file, made_key
from openai_costs.storage.forgotten import remember
from openai_costs.storage.lake import Lake
from openai_costs.storage.renamed import UNFINISHED
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import LEDGER, day, house
from openai_costs_tests.storage.test_archive import day_read

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs_tests.org import House

Streams = pytest.CaptureFixture[str]
COMMANDS: Final = (
    ("backfill",),
    ("verify",),
    ("report",),
    ("findings",),
    ("deliver",),
    ("digest",),
    ("serve",),
    ("export", "focus", "--month", "2026-11"),
    ("forget-user", "user-x"),
    ("forget-connection", "old"),
)
KEY: Final = "openai_costs.forget-key"


def run(monkeypatch: pytest.MonkeyPatch, settings: Path, *words: str) -> int:
    """Return the exit code of a command under settings, as in a process of its own."""
    monkeypatch.setattr(forget_key, "_beside", {})
    monkeypatch.setattr(forgotten, "_loaded", {})
    monkeypatch.setenv("OPENAI_COSTS_CONFIG", str(settings / "openai_costs.toml"))
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-sample")
    monkeypatch.setattr("sys.argv", ["openai-costs", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def settings_in(folder: Path, home: Path) -> Path:
    """Make a folder with the settings of a home."""
    folder.mkdir()
    copy(home / "openai_costs.toml", folder)
    return folder


def asked(*_: object) -> NoReturn:
    raise AssertionError("nothing may be asked")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.fixture(scope="module")
def forgetting(of_the_commands: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a home and the settings of the host that forgot someone; the pseudonym."""
    folder = tmp_path_factory.mktemp("forgetting")
    home = copytree(of_the_commands, folder / "home")
    user = str(Lake(place(str(home))).read(SpendAttribution)["user_id"].drop_nulls()[0])
    settings = settings_in(folder / "one", home)
    with pytest.MonkeyPatch.context() as patch:
        assert run(patch, settings, "forget-user", user, "--yes", "--home", str(home)) == 0
    key = made_key(settings / KEY)
    return folder, known(key.secret, "id", user, user).pseudonym


@pytest.fixture
def there(forgetting: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that folder, where the settings and their key are those of another host."""
    copytree(forgetting[0], tmp_path / "there")
    return tmp_path / "there"


def test_another_host_and_a_moved_home_go_on_and_no_one_comes_back(
    forgetting: tuple[Path, str], there: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    made, pseudonym = forgetting
    aside = made.with_name("aside")
    move(made, aside)  # the host that forgot someone is gone
    try:
        for words in (("verify",), ("backfill", "--offline"), ("report",), ("doctor", "--json")):
            code = run(monkeypatch, there / "one", *words, "--home", str(there / "home"))
            out, err = capsys.readouterr()
            assert "forgets people" not in out + err
            assert code == 0 or words[0] == "doctor", (words, out, err)
    finally:
        move(aside, made)
    users = Lake(place(str(there / "home"))).read(SpendAttribution)["user_id"]
    assert pseudonym in users.to_list()


@pytest.mark.parametrize("has_another", [False, True])
def test_without_the_key_of_the_home_no_command_reads_writes_or_asks_anything(
    there: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams, *, has_another: bool
) -> None:
    home, two = there / "home", settings_in(there / "two", there / "home")
    monkeypatch.setattr(forget_key, "places", lambda *_: [two / KEY])  # nor where it was noted
    if has_another:
        made_key(two / KEY)
    why = "it is of another home" if has_another else "No such file or directory"
    before = contents(home)
    for words in COMMANDS:
        with monkeypatch.context() as patch:
            patch.setattr("openai_costs.sample.api.serving.sample_transport", asked)
            assert run(patch, two, *words, "--home", str(home)) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(
            f"{home} forgets people by a key that is not there: {two / KEY} ({why}). Without it "
            "they would come back, so nothing is read or written."
        ), words
        assert err.count("\n") == 1
    assert run(monkeypatch, two, "doctor", "--json", "--home", str(home)) == 1
    facts = json.loads(capsys.readouterr().out)
    assert any(one["state"] == "FAIL" and str(two / KEY) in one["said"] for one in facts)
    assert contents(home) == before


def silent_house(folder: Path) -> House:
    """A home that forgets someone, whose key is gone, and a provider that must not be asked."""
    made = house(folder / "home", "acme")
    home = UPath(made.home)
    key = made_key(key_file(folder / "openai_costs.toml", home))
    people = [known(key.secret, "id", "user-ines", "user-ines")]
    remember(home, people, key, date(2026, 11, 28))
    key.file.unlink()
    made.silence()
    return made


def test_a_run_of_dagster_ends_without_the_key_before_it_asks_anyone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgotten, "_loaded", {})
    made = silent_house(tmp_path)
    ran = made.run(day(16), day(16), only=LEDGER)
    assert not ran.is_green
    assert ran.failures == []  # no step began
    assert not (tmp_path / "home/raw").exists()


def test_a_connection_is_forgotten_by_the_name_that_it_was_about_to_get(
    of_the_commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copytree(of_the_commands, tmp_path / "home")
    Archive(UPath(home)).keep(day_read(connection="before"))
    note = {"provider": "openai", "old": "before", "new": "gone"}
    (home / UNFINISHED).write_text(json.dumps(note))
    settings = settings_in(tmp_path / "settings", home)
    words = ("forget-connection", "gone", "--yes", "--home", str(home))
    assert run(monkeypatch, settings, *words) == 0
    names = Archive(UPath(home)).connections("openai")
    assert not {"before", "gone"}.intersection(names)
