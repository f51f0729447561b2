"""Where a secret is kept, and reading it there: a variable, a file, a command or the keyring.

It is read when it is needed, so a rotated one is used by the next run, in a process that is never
restarted too. Not here: what a key may look like (error_texts.py), the environment (load.py).
"""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Annotated, NamedTuple, TypeVar

from pydantic import Field, StringConstraints

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.section import Section, written_as

T = TypeVar("T")

KINDS = ("env", "file", "command", "keyring")
MOST_BYTES = 64 * 1024
LONGEST = 30.0
"""Seconds that a command has to print a secret."""

SecretFile = Annotated[
    str, written_as(r"(?s)(/|~/|[A-Za-z]:\\).+", "must be an absolute path: /run/secrets/acme")
]
SecretCommand = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(min_length=1)
]
SecretEntry = Annotated[
    str,
    written_as(r"(?s).+/[^/]+", 'must name a service and a user of the keyring: "acme/openai"'),
]


class SecretPlace(NamedTuple):
    """Where a secret is.

    Args:
        kind: One of `KINDS`.
        value: A variable's name, a path, the words of a command, or `service/user`.
        setting: The setting that says so.
    """

    kind: str
    value: str | tuple[str, ...]
    setting: str

    def __str__(self) -> str:
        """Return what a message calls it: never the arguments of a command, which may be secret."""
        if self.kind == "env":
            return str(self.value)
        if self.kind == "command":
            return f"what the command {Path(self.value[0]).name} prints"
        return f"{'the file' if self.kind == 'file' else 'the keyring entry'} {self.value}"

    @property
    def presence(self) -> str:
        """Return the place as the beginning of a sentence about a secret that is not there."""
        return f"The variable {self.value} is not set" if self.kind == "env" else f"{self} is empty"


def place_of(section: Section, prefix: str) -> SecretPlace | None:
    """Return where a section says that a secret is; None where it says nothing.

    Args:
        section: The section.
        prefix: What its settings begin with: "admin_key" for `admin_key_env`.
    """
    for kind in (*KINDS[1:], KINDS[0]):
        setting = f"{prefix}_{kind}"
        if value := getattr(section, setting, None):
            return SecretPlace(kind, value, setting)
    return None


def refuse_two_places(section: Section, prefix: str) -> None:
    """Refuse a section that says of one secret that it is in two places.

    Raises:
        SettingRefused: Names both settings.
    """
    given = [
        name
        for kind in KINDS
        if (name := f"{prefix}_{kind}") in section.model_fields_set and getattr(section, name)
    ]
    if len(given) > 1:
        raise SettingRefused(f"is there beside {given[0]}: keep one of them", (given[1],))


def held_in(place: SecretPlace, variable: Callable[[str], str]) -> str:
    """Return what is in a place now, without blanks around it; empty for a variable not set.

    Args:
        place: The place.
        variable: Returns what a variable of the environment holds.

    Raises:
        SettingsError: The file, the command or the keyring cannot be read, or has nothing.
    """
    if place.kind == "env":
        return variable(str(place.value)).strip()
    read: dict[str, Callable[[SecretPlace], bytes]] = {
        "file": _of_file,
        "command": _of_command,
        "keyring": _of_keyring,
    }
    content = read[place.kind](place)
    if len(content) > MOST_BYTES:
        raise _refused(place, f"it has more than {MOST_BYTES:,} bytes", "A key is one line")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _refused(place, "it is not UTF-8 text", "A key is one line of text") from None
    if not text:
        raise _refused(place, "it is empty", "Put the key there")
    return text


def once_where_slow(place: SecretPlace, read: Callable[[], T]) -> Callable[[], T]:
    """Return what reads a secret once for one reading where that runs a program, else always."""
    return cache(read) if place.kind in ("command", "keyring") else read


def _refused(place: SecretPlace, why: str, remedy: str) -> SettingsError:
    return SettingsError(f"{place.setting}: {place} cannot be used: {why}. {remedy}.")


def _of_file(place: SecretPlace) -> bytes:
    try:
        with Path(str(place.value)).expanduser().open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as broken:  # no home of ~, a null byte
        why = getattr(broken, "strerror", None) or "there is no such path"
        raise _refused(place, why[:1].lower() + why[1:], "Correct the path or its rights") from None


def _of_command(place: SecretPlace) -> bytes:
    """Run a command without a shell; what it writes to stderr is never shown."""
    by_hand = "Run it by hand to see what it says"
    try:
        process = subprocess.Popen(  # noqa: S603 - the words are the settings'; there is no shell
            place.value,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as broken:
        why = getattr(broken, "strerror", None) or "it cannot be started"
        raise _refused(place, why[:1].lower() + why[1:], "Correct the command") from None
    printed = bytearray()
    status = _status(process, printed)
    if status is None and len(printed) <= MOST_BYTES:
        raise _refused(place, f"it had not ended after {LONGEST:.0f} s", by_hand)
    if status:
        raise _refused(place, f"it ended with exit code {status}", by_hand)
    return bytes(printed)


def _status(process: "subprocess.Popen[bytes]", printed: bytearray) -> int | None:
    """Take what a command prints, and return its exit code; None where it had to be ended."""
    reading = Thread(target=_take, args=(process, printed), daemon=True)
    reading.start()
    reading.join(LONGEST)
    with suppress(subprocess.TimeoutExpired):
        if not reading.is_alive() and len(printed) <= MOST_BYTES:
            return process.wait(LONGEST)
    _end(process)
    return None


def _take(process: "subprocess.Popen[bytes]", printed: bytearray) -> None:
    """Take what a command prints until its output ends, or is more than any secret."""
    with suppress(OSError, ValueError):
        while process.stdout and len(printed) <= MOST_BYTES:
            if not (some := process.stdout.read(MOST_BYTES)):
                break
            printed += some
    if process.stdout:
        process.stdout.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command and all that it started, which may hold its output open."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()


def _of_keyring(place: SecretPlace) -> bytes:
    service, _, user = str(place.value).rpartition("/")
    try:
        keyring = import_module("keyring")
    except ImportError:
        why = "the package keyring is not installed"
        raise _refused(place, why, "Run pip install 'openai_costs[keyring]'") from None
    try:
        found = keyring.get_password(service, user)
    except Exception as broken:  # noqa: BLE001 - each system's keyring has errors of its own
        why = f"the keyring of this system does not answer ({type(broken).__name__})"
        raise _refused(place, why, "Unlock it, or use another setting") from None
    return str(found or "").encode()
