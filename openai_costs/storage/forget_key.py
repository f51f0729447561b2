"""The key by which a home forgets people: where it is, and whether it is the one of that home.

It belongs to the settings and is never below the home: who has both can test whether a name is
among the forgotten. So it is looked for beside the settings in use, on whatever machine they are,
and then where it was when it was noted. Not here: whom a home forgets (forgotten.py).
"""

import hmac
import os
import secrets
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.storage.files import create_file, is_local

NAME = ".forget-key"
FILE, MARK = "key_file", "key_mark"
"""What a row of the record notes of its key: where it was, and what distinguishes it."""

KEY_BYTES = 32
_MARKED = b"\na key"
"""What the mark is a keyed digest of: with its line break, it is the name of no one."""

_beside: dict[str, Path] = {}
"""Where the key belongs by the settings in use, by home."""

Rows = Collection[Mapping[str, Any]]


class ForgetKey(NamedTuple):
    """A key, and the file that it is in."""

    file: Path
    secret: bytes

    @property
    def mark(self) -> str:
        """What distinguishes the key from others, and says nothing about it."""
        return hmac.new(self.secret, _MARKED, sha256).hexdigest()


def look_beside(settings_file: Path, home: UPath) -> None:
    """Let this process look for the key of a home beside the settings that it is used with."""
    _beside[str(home)] = key_file(settings_file, home)


def key_file(settings_file: Path, home: UPath) -> Path:
    """Return where the key of a home belongs: beside the settings, and never below the home."""
    folder = settings_file.parent.resolve()
    is_on_disk = is_local(home) or home.protocol == "file"
    below = Path(home.path).resolve() if is_on_disk else None
    if below is not None and (folder == below or below in folder.parents):
        return below.with_name(below.name + NAME)
    return folder / f"openai_costs{NAME}"


def places(home: UPath, rows: Rows) -> list[Path]:
    """Return where the key of a home may be: beside the settings in use, and where it was noted.

    Rows from before there were marks do not tell one key from another, so that theirs has to be
    where it was noted.
    """
    base = Path(str(home)).absolute()
    noted = [Path(os.path.normpath(base / row[FILE])) for row in rows]
    beside = [_beside[str(home)]] if str(home) in _beside and mark_of(rows) else []
    return list(dict.fromkeys([*beside, *noted]))


def mark_of(rows: Rows) -> str | None:
    """Return the mark of the key of some rows; None of rows from before there were marks."""
    return next((str(row[MARK]) for row in rows if MARK in row), None)


def key_of(home: UPath, rows: Rows) -> ForgetKey:
    """Return the key by which some rows say whom a home forgets.

    Raises:
        SettingsError: It is in none of its places; what is there may be the key of another home.
    """
    mark, tried = mark_of(rows), list[str]()
    for file in places(home, rows):
        try:
            key = _read(file)
        except (OSError, ValueError) as fault:
            tried.append(f"{file} ({_reason(fault)})")
            continue
        if mark in (None, key.mark):
            return key
        tried.append(f"{file} (it is of another home)")
    raise SettingsError(
        f"{home} forgets people by a key that is not there: {' or '.join(tried)}. Without it they "
        "would come back, so nothing is read or written. Put the file back; it moves with the "
        "settings, and is not in a backup of the home."
    )


def made_key(file: Path) -> ForgetKey:
    """Return the key in a file, which is made for its owner alone where it is not there yet.

    Raises:
        SettingsError: It cannot be made, or what is there cannot be read.
    """
    try:
        if not file.exists():  # where another process makes it meanwhile, its key counts
            create_file(UPath(file), secrets.token_bytes(KEY_BYTES).hex().encode())
        return _read(file)
    except (OSError, ValueError) as fault:
        raise SettingsError(
            f"{file}, the key by which people are forgotten, can be neither read nor made "
            f"({_reason(fault)}). Nothing was changed. It is kept in the folder of the settings "
            "and not in the home, so another home does not help. Let this user read and write in "
            f"{file.parent}, or put a key there: docs/operations.md#the-key-of-forgotten-people."
        ) from None


def noted_place(home: UPath, file: Path, people: Pseudonyms) -> str:
    """Return how the place of the key is written down: without the name of who is forgotten.

    Names are replaced in the record too, and a place with a pseudonym would not be found again.

    Raises:
        SettingsError: It names one of them, from the home too.
    """
    whole = str(file.absolute())
    below = os.path.relpath(whole, Path(str(home)).absolute()) if is_local(home) else whole
    for one in (whole, below):
        if people.text(one) == one:
            return one
    raise SettingsError(
        f"The key that forgets people is in {file}, and a folder there has the name of the one to "
        "forget. Nothing was changed. Move the settings and the key to another folder first."
    )


def _read(file: Path) -> ForgetKey:
    secret = bytes.fromhex(file.read_text(encoding="ascii"))
    if len(secret) != KEY_BYTES:
        raise ValueError(len(secret))
    return ForgetKey(file, secret)


def _reason(fault: OSError | ValueError) -> str:
    if isinstance(fault, OSError):
        return fault.strerror or str(fault)
    return f"it does not hold {2 * KEY_BYTES} hexadecimal digits"
