"""What is wrong with a value in the settings, in our words instead of pydantic's. Pure.

Each text is a predicate, whose subject is the setting: "must be at least 1". None of them repeats
the value, which may be a key in the wrong place. Not here: on which line (error_location.py).
"""

import types
from collections.abc import Collection, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from openai_costs.settings.error_location import Objection, Where

NUMBER = "must be a whole number, without quotes: 7"
DECIMAL = "must be a decimal number, without a currency: 1000.50"
_DAY = "must be a day, without quotes: 2026-01-31"
_TRUTH = "must be true or false, without quotes"
_LIST = 'must be a list, in square brackets: ["a", "b"]'
_TABLE = 'must be a table, in braces: {{ name = "value" }}'
ELSEWHERE = {
    "home": "Set OPENAI_COSTS_HOME, or add --home to the command.",
    "config_file": "Set OPENAI_COSTS_CONFIG.",
    "only_connections": "Add --connection to the command.",
}
"""Fields of the settings that their file cannot have, and what to do instead."""

_TEXTS = {
    "json_invalid": "is not JSON ({error})",
    "missing": "is required: add it",
    "string_type": "must be text, in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length}",
    "too_short": "must not be empty",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "decimal_max_places": "must have at most {decimal_places} decimal places",
}
"""Our text by pydantic's type of error, with the placeholders of its context."""

_TEXTS_BY_KIND = {
    "int": NUMBER,
    "decimal": DECIMAL,
    "finite": DECIMAL,
    "date": _DAY,
    "datetime": _DAY,
    "bool": _TRUTH,
    "tuple": _LIST,
    "list": _LIST,
    "mapping": _TABLE,
    "dict": _TABLE,
    "model": _TABLE,
}
"""Our text by the first word of pydantic's type of error."""


_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
"""Marks that editors and chats put around a key."""


class SettingRefused(ValueError):  # noqa: N818 - the name is the sentence's subject
    """A validator of our own refuses a setting.

    Args:
        text: What is wrong with it, without its subject: "must name a connection".
        where: The way to it from the section that the validator belongs to.
        other: The way to the setting that it contradicts, from the root of the settings.
    """

    def __init__(self, text: str, where: Where = (), other: Where = ()) -> None:
        super().__init__(text)
        self.where, self.other = where, other


def objection(broken: ValidationError, model: type[BaseModel]) -> Objection:
    """Return the first objection in our words, where pydantic's are about its own model.

    Args:
        broken: What pydantic found.
        model: What was validated: it has the names that an unknown one may have been meant for.
    """
    first = broken.errors(include_url=False)[0]
    where: Where = first["loc"]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SettingRefused):
        return Objection((*where, *cause.where), str(cause), cause.other)
    if first["type"] == "extra_forbidden":
        return Objection(where, _unknown(where, model))
    return Objection(where, _text(first, where, model))


def key_fault(key: str) -> str:
    """Return what a key was copied with, and what to do; empty for a key alone.

    Args:
        key: What the variable holds, without blanks around it. It is not repeated.
    """
    if key[0] in _QUOTES or key[-1] in _QUOTES:
        return "has quotation marks around it. Export it without them."
    if key.lower().startswith(("bearer ", "authorization:", "x-api-key:")):
        return "has the words of a header in front of it. Export the key alone."
    if not key.isascii() or not key.isprintable() or " " in key:
        return "has a line break, a space or a character that no key has. Copy it as one line."
    return ""


def close_to(name: str, known: Collection[str]) -> str:
    """Return a question that names the closest of some names; empty where none is close."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _text(first: Mapping[str, Any], where: Where, model: type[BaseModel]) -> str:
    kind, context = str(first["type"]), first.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "greater_than_equal" and isinstance(first["input"], date):
        return f"must be {context['ge']} or later"
    family = kind.partition("_")[0]
    is_sections = len(where) == 1 and bool(_names(model, where))
    if family in ("tuple", "list") and (isinstance(first["input"], dict) or is_sections):
        name = ".".join(map(str, where))
        return f"must have a header with two pairs of brackets: [[{name}]]"
    if family == "model" and isinstance(first["input"], list):
        return "must have a header with one pair of brackets, and be there once"
    template = _TEXTS.get(kind) or _TEXTS_BY_KIND.get(family)
    return template.format(**context) if template else f"cannot be used: {first['msg']}"


def _unknown(where: Where, model: type[BaseModel]) -> str:
    """Return what is wrong with an unknown setting: its likely name, or the section it is of."""
    name, known = str(where[-1]), _names(model, where[:-1])
    if hint := close_to(name, known):
        return f"is not a known setting{hint}"
    alone = [one for one in _names(model, ()) if not _is_list(model.model_fields[one].annotation)]
    homes = [one for one in alone if name in _names(model, (one,))]
    if homes:
        return f"belongs to [{homes[0]}]: move it below that header"
    return f"is not a known setting. Known here: {', '.join(known)}"


def _names(model: type[BaseModel], where: Where) -> list[str]:
    """Return the names that a file may have at a place; none where it is not a section."""
    here: Any = model
    for step in where:
        if isinstance(step, str):
            fields = getattr(here, "model_fields", {})
            here = _section(fields[step].annotation) if step in fields else None
    return sorted(getattr(here, "model_fields", {}).keys() - ELSEWHERE.keys())


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    return get_origin(annotation) is tuple


def _section(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    """Return the section that a field holds, alone, optional or in a list; else the annotation."""
    if get_origin(annotation) in (tuple, Union, types.UnionType):
        return _section(get_args(annotation)[0])
    return annotation
