"""The people the sample organisation itself knows: its own directory, as a file.

Planted: one member it knows by another address, one who left, and one nobody entered.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openai_costs.sample.organisation import Organisation

BY_ALIAS: Final = "user-signe"
"""At home in the company's older mail domain."""

LEFT: Final = "user-jonas"
NOBODY_ENTERED: Final = "user-paolo"
"""A contractor: invited by a colleague, in no directory."""

IDLE: Final = ("user-ines", "user-lucia", "user-olu", "user-tobias")
"""Members whose seat is paid for: they spend nothing, or have not for months."""

_OLDER_DOMAIN: Final = "tidewater.example"
_COLUMNS: Final = (
    "person_id", "name", "email", "aliases", "team", "status", "left_day", "openai_user_id"
)  # fmt: skip


def directory_csv(organisation: Organisation) -> str:
    """Return the company's directory as a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for person in organisation.cast.people:
        if person.id == NOBODY_ENTERED:
            continue
        name, _, _ = person.email.partition("@")
        is_alias = person.id == BY_ALIAS
        writer.writerow(
            (
                f"tm-{name}",
                person.name,
                f"{name}@{_OLDER_DOMAIN}" if is_alias else person.email,
                person.email if is_alias else "",
                person.team,
                "left" if person.left_day else "active",
                person.left_day or "",
                person.id if person.left_day else "",
            )
        )
    return text.getvalue()
