"""What a project, user, key, model or usage type is called on the page. Pure.

A name where one is known, else the id, else words that say there is none. No mail addresses: a
page gets forwarded, so of an address only what stands before the @ is shown.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from openai_costs.kernel.redaction import without_domains

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAIL: Final = 6
_LONGEST: Final = 80


def shown_names(known: Mapping[str, str | None], nobody: str) -> dict[str, str]:
    """Return what to call each id; two ids with one name are told apart by the end of the id.

    Args:
        known: The newest known name by id; the empty id stands for "none given".
        nobody: What to call the empty id, such as `(no project)`.
    """
    names = {
        key: _shortened(without_domains(known[key] or key)) if key else nobody for key in known
    }
    by_tail = _told_apart(names, {key: key[-_TAIL:] for key in names})
    return _told_apart(by_tail, {key: str(i) for i, key in enumerate(sorted(names), start=1)})


def _told_apart(names: Mapping[str, str], marks: Mapping[str, str]) -> dict[str, str]:
    """The names, with its mark behind each that occurs more than once."""
    times = Counter(names.values())
    return {
        key: f"{name} \u00b7 {marks[key]}" if key and times[name] > 1 else name
        for key, name in names.items()
    }


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\u2026"
