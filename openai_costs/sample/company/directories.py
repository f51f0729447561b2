"""The people whom the sample organization itself knows: two directories that overlap, as files.

Planted: one member whom the directory knows by another address, one who left and whom the second
directory still lists, one whom neither lists, and two people of one name in both.
"""

from __future__ import annotations

import csv
import io
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_costs.sample.company.fixtures import Fixtures, Person

BY_ALIAS: Final = "user-signe"
"""At home in the company's older mail domain."""

LEFT: Final = "user-jonas"

UNLISTED_PERSON: Final = "user-paolo"
"""A contractor: invited by a colleague, in no directory."""

IDLE: Final = ("user-ines", "user-lucia", "user-olu", "user-tobias")
"""Members whose seat is paid for: they spend nothing, or have not for months."""

CATALOG_TEAMS: Final = ("labs", "platform", "routing", "search", "studio")
"""Teams whose people are in the software catalog too; it goes on listing those who left."""

_OLDER_DOMAIN: Final = "tidewater.example"

_COLUMNS: Final = (
    "person_id", "name", "email", "aliases", "team", "status", "left_day", "openai_user_id"
)  # fmt: skip


def directory_csv(fixtures: Fixtures, logins: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the company's directory of people as a table.

    Args:
        fixtures: Whose people.
        logins: The login of people at a vendor that shows no address, by their id.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for person in _entered(fixtures):
        mailbox, _, _ = person.email.partition("@")
        is_alias = person.id == BY_ALIAS
        writer.writerow(
            (
                f"tm-{mailbox}",
                person.name,
                f"{mailbox}@{_OLDER_DOMAIN}" if is_alias else person.email,
                ",".join(filter(None, (person.email if is_alias else None, logins.get(person.id)))),
                person.team,
                "left" if person.left_day else "active",
                person.left_day or "",
                person.id if person.left_day else "",
            )
        )
    return text.getvalue()


def catalog_yaml(fixtures: Fixtures) -> str:
    """Return the users of the company's software catalog, as Backstage keeps them."""
    return "---\n".join(
        f"apiVersion: backstage.io/v1alpha1\nkind: User\n"
        f"metadata:\n  name: {person.email.partition('@')[0]}\n"
        f"spec:\n  profile:\n    displayName: {person.name}\n    email: {person.email}\n"
        f"  memberOf: [group:default/{person.team}]\n"
        for person in _entered(fixtures)
        if person.team in CATALOG_TEAMS
    )


def _entered(fixtures: Fixtures) -> list[Person]:
    return [person for person in fixtures.people if person.id != UNLISTED_PERSON]
