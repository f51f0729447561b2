"""Which settings file belongs to a home, and what it contains.

Not here: what its settings mean (load.py), which line a setting is on (error_location.py).
"""

import re
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.error_location import ALLOWED, line_of
from openai_costs.settings.error_texts import ELSEWHERE

NAME = "openai_costs.toml"

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_LIKE_A_DAY = re.compile(r"=\s*\d{1,4}[-./]\d")
_TWICE = re.compile(r"Cannot declare \((?P<parts>.+?),?\) twice")


def file_beside(home: str) -> Path:
    """Return the settings file of a home where no variable names one.

    A file in the home belongs to it, as in a demo's; else it is that of the current folder.

    Args:
        home: A folder, or the URL of one, which has no settings file.
    """
    inside = Path(home) / NAME
    return inside if "://" not in home and inside.exists() else Path(NAME)


def content_of(path: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a settings file and its text; both are empty without a file.

    Raises:
        SettingsError: It cannot be read, is not TOML, or has what only the environment can have.
    """
    if not path.exists():
        return {}, ""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as broken:
        raise SettingsError(f"{path} cannot be read: {broken.strerror}. Correct that.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read: it is not UTF-8 text. Save it so.") from None
    content = _parsed(path, text)
    for name, remedy in ELSEWHERE.items():
        if name in content:
            line = line_of(text, (name,))
            raise SettingsError(
                f"{path}, line {line}: {name} is not a setting of this file. {remedy}"
            )
    return content, text


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise SettingsError(f"{path} cannot be read: it is nested too deeply.") from None
    except tomllib.TOMLDecodeError as broken:
        raise SettingsError(_not_toml(path, str(broken), text.splitlines())) from None
    except ValueError:  # Python reads no number of more than some thousand digits
        raise SettingsError(f"{path} cannot be read: a number in it is too long.") from None


def _not_toml(path: Path, message: str, lines: Sequence[str]) -> str:
    """Return what is wrong with a line that is not TOML, and what to do."""
    place = _PLACE.search(message)
    what = message[: place.start()] if place else message
    number = int(place["line"]) if place and place["line"] else 0
    line = f", line {number}" if number else ""
    if twice := _TWICE.match(what):
        section = ".".join(re.findall(r"'([^']*)'", twice["parts"]))
        why = f"the section [{section}] is there twice. Merge the two"
    elif "overwrite" in what:
        why = "a setting is there twice. Remove one of them"
    else:
        is_day = number and _LIKE_A_DAY.search(lines[number - 1])
        remedy = "A day is written as 2026-01-31" if is_day else 'Text needs quotes: name = "acme"'
        why = f"this is not TOML ({what[:1].lower()}{what[1:]}). {remedy}"
    return f"{path}{line}: {why}. {ALLOWED}"
