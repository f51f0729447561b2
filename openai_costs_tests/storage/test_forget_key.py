"""Where the key of forgotten people is looked for, and that no other one is taken for it."""

from __future__ import annotations

import errno
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import pytest
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.known_texts import known
from openai_costs.storage import forget_key, forgotten
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.forget_key import key_file, look_beside, made_key
from openai_costs.storage.forgotten import pseudonyms_of, remember
from openai_costs.storage.record import FOLDER, Entry, Record

if TYPE_CHECKING:
    from openai_costs.storage.forget_key import ForgetKey

TODAY: Final = date(2026, 11, 28)
WHO: Final = "user-ines"
SETTINGS: Final = "openai_costs.toml"
KEY: Final = "openai_costs.forget-key"


@pytest.fixture(autouse=True)
def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process knows of homes and settings."""
    monkeypatch.setattr(forget_key, "_beside", {})
    monkeypatch.setattr(forgotten, "_loaded", {})


def forget(home: Path, settings: Path) -> str:
    """Forget someone under settings; return the pseudonym."""
    settings.mkdir(parents=True, exist_ok=True)
    key = made_key(key_file(settings / SETTINGS, UPath(home)))
    remember(UPath(home), [of(key)], key, TODAY)
    return of(key).pseudonym


def of(key: ForgetKey) -> forgotten.Known:
    return known(key.secret, "id", WHO, WHO)


def read_by(home: Path, settings: Path) -> str:
    """Return what a process with some settings reads of the id of the one who was forgotten."""
    look_beside(settings / SETTINGS, UPath(home))
    people = pseudonyms_of(UPath(home))
    assert people is not None
    return people.identifier(WHO)


def refusal(home: Path, settings: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        read_by(home, settings)
    return str(refused.value)


def test_the_key_is_found_beside_the_settings_of_another_host(tmp_path: Path) -> None:
    home, one, two = tmp_path / "home", tmp_path / "one", tmp_path / "two"
    pseudonym = forget(home, one)
    one.rename(two)
    assert read_by(home, two) == pseudonym


def test_a_key_is_on_the_disk_whole_and_for_its_owner_alone_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = list[str]()
    flush = os.fsync

    def noted(descriptor: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    before = os.umask(0)
    try:
        key = made_key(tmp_path / KEY)
    finally:
        os.umask(before)
    [file, folder] = flushed
    assert file.startswith(f"{tmp_path}/.{KEY}.")  # it has its name once it is whole
    assert folder == str(tmp_path)
    assert key.file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [KEY]
    assert made_key(tmp_path / KEY) == key


def test_home_and_settings_are_moved_together(tmp_path: Path) -> None:
    pseudonym = forget(tmp_path / "before/home", tmp_path / "before/settings")
    (tmp_path / "before").rename(tmp_path / "after")
    assert read_by(tmp_path / "after/home", tmp_path / "after/settings") == pseudonym


def test_a_home_on_an_object_store_is_used_by_two_hosts(tmp_path: Path) -> None:
    home, one, two = UPath("memory://costs/two-hosts"), tmp_path / "one", tmp_path / "two"
    one.mkdir()
    key = made_key(key_file(one / SETTINGS, home))
    remember(home, [of(key)], key, TODAY)
    one.rename(two)
    look_beside(two / SETTINGS, home)
    people = pseudonyms_of(home)
    assert people is not None
    assert people.identifier(WHO) == of(key).pseudonym


def test_where_the_key_was_noted_is_the_place_after_the_one_beside_the_settings(
    tmp_path: Path,
) -> None:
    pseudonym = forget(tmp_path / "home", tmp_path / "one")
    assert read_by(tmp_path / "home", tmp_path / "two") == pseudonym
    forget(tmp_path / "other-home", tmp_path / "three")
    assert read_by(tmp_path / "home", tmp_path / "three") == pseudonym


def test_a_key_that_is_in_neither_place_is_a_sentence_with_both(tmp_path: Path) -> None:
    home, one, two = tmp_path / "home", tmp_path / "one", tmp_path / "two"
    forget(home, one)
    (one / KEY).unlink()
    assert refusal(home, two).startswith(
        f"{home} forgets people by a key that is not there: {two / KEY} (No such file or "
        f"directory) or {one / KEY} (No such file or directory). Without it they would come back, "
        "so nothing is read or written."
    )


def test_the_key_of_another_home_is_refused(tmp_path: Path) -> None:
    home, one, two = tmp_path / "home", tmp_path / "one", tmp_path / "two"
    forget(home, one)
    forget(tmp_path / "other-home", two)
    (one / KEY).unlink()
    assert f"{two / KEY} (it is of another home) or {one / KEY} (No such" in refusal(home, two)


@pytest.mark.parametrize("content", ["", "abcd", "no key", "é"])
def test_a_file_that_does_not_hold_a_key_is_refused(tmp_path: Path, content: str) -> None:
    home, settings = tmp_path / "home", tmp_path / "settings"
    forget(home, settings)
    (settings / KEY).write_text(content, encoding="utf-8")
    text = f"{settings / KEY} (it does not hold 64 hexadecimal digits)"
    assert text in refusal(home, settings)
    with pytest.raises(SettingsError, match=r"can be neither read nor made \(it does not hold 64 "):
        made_key(settings / KEY)


def test_rows_from_before_keys_had_a_mark_need_the_key_where_it_was_noted(tmp_path: Path) -> None:
    home, one, two = tmp_path / "home", tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    key = made_key(one / KEY)
    made_key(two / KEY)
    row = {**of(key)._asdict(), "key_file": str(one / KEY)}
    Record(UPath(home)).append(forgotten.TABLE, 1, Entry([row]))
    assert read_by(home, two) == of(key).pseudonym


def test_two_hosts_that_begin_to_forget_at_once_do_not_mix_their_keys(tmp_path: Path) -> None:
    home = tmp_path / "home"
    pseudonym = forget(home, tmp_path / "one")
    with pytest.raises(WriteConflict):
        forget(home, tmp_path / "two")
    assert read_by(home, tmp_path / "one") == pseudonym


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize("folder", ["", "settings"])
def test_the_key_of_settings_below_the_home_is_beside_the_home(
    tmp_path: Path, scheme: str, folder: str
) -> None:
    home = UPath(f"{scheme}{tmp_path}/home")
    assert key_file(tmp_path / "home" / folder / SETTINGS, home) == tmp_path / "home.forget-key"


def test_the_key_is_made_for_its_owner_alone_and_the_home_has_none_of_it(tmp_path: Path) -> None:
    forget(tmp_path / "home", tmp_path / "settings")
    file = tmp_path / "settings" / KEY
    assert file.stat().st_mode & 0o777 == 0o600
    secret = file.read_bytes()
    kept = [one for one in (tmp_path / "home" / FOLDER).rglob("*") if one.is_file()]
    assert kept
    assert not any(secret in one.read_bytes() for one in kept)


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be made, as where the settings are a config map or a mount to read alone."""

    def refused(file: Path, *_: object) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(file))

    monkeypatch.setattr(forget_key.os, "open", refused)


@pytest.mark.usefixtures("read_only")
def test_settings_that_are_read_only_are_a_sentence_about_their_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        made_key(tmp_path / KEY)
    assert str(refused.value) == (
        f"{tmp_path / KEY}, the key by which people are forgotten, can be neither read nor made "
        "(Read-only file system). Nothing was changed. It is kept in the folder of the settings "
        "and not in the home, so another home does not help. Let this user read and write in "
        f"{tmp_path}, or put a key there: docs/operations.md#the-key-of-forgotten-people."
    )


@pytest.mark.usefixtures("read_only")
def test_a_key_that_was_put_beside_read_only_settings_is_used(tmp_path: Path) -> None:
    (tmp_path / KEY).write_text("ab" * 32 + "\n", encoding="ascii")
    assert made_key(tmp_path / KEY).secret == b"\xab" * 32
