"""People from a whole SCIM 2.0 ListResponse (RFC 7643, RFC 7644). Pure.

Servers differ: addresses are objects or plain texts, `active` is a boolean or a text, and a name
has `formatted` or only its parts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.people.json_values import Item, is_true, items, part, text, texts
from openai_costs.sources.people.people import (
    Person,
    Row,
    SetAside,
    full_name,
    joined_name,
    person,
    status_of,
)

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def people(name: str, response: Item) -> Iterator[Row]:
    """Yield the people of a ListResponse, and the resources that are none.

    Raises:
        FileRefused: It is only a page of one.
    """
    resources, total = items(response, "Resources"), response.get("totalResults")
    if isinstance(total, int) and len(resources) < total:
        why = f"has {len(resources)} of {total} people"
        raise FileRefused(name, why, "Request them with a count large enough for all of them.")
    for number, user in enumerate(resources, 1):
        yield _person(f"{name}, Resources {number}", user)


def _person(place: str, user: Any) -> Row:  # noqa: ANN401 - whatever the file has there
    if not isinstance(user, Mapping):
        return SetAside(place, "is not a SCIM user: it is not an object")
    user_name = text(user, "userName")
    person_id = text(user, "id") or user_name
    if not person_id:
        return SetAside(place, "has neither an id nor a userName")
    work, name = part(user, _ENTERPRISE), part(user, "name")
    status = status_of(text(user, "active"))
    addresses = list(_addresses(items(user, "emails")))
    if user_name and "@" in user_name:
        addresses.append(user_name)
    listed = Person(
        place=place,
        person_id=person_id,
        name=full_name(
            text(user, "displayName"),
            text(name, "formatted"),
            joined_name(text(name, "givenName"), text(name, "familyName")),
        ),
        team=text(work, "department"),
        cost_center=text(work, "costCenter"),
        has_left=status.has_left,
        remarks=status.remarks,
    )
    return person(listed, addresses)


def _addresses(emails: list[Any]) -> Iterator[str]:
    """Yield addresses, the primary one first."""

    def is_secondary(one: object) -> bool:
        return not (isinstance(one, Mapping) and is_true(one.get("primary")))

    yield from texts(sorted(emails, key=is_secondary), "value")
