"""People from a SCIM 2.0 ListResponse, whole or one page of it (RFC 7643, RFC 7644). Pure."""

from collections.abc import Iterator

import msgspec

from openai_costs.errors import FileRefused
from openai_costs.sources.directory.people import Person

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class _Email(msgspec.Struct):
    value: str
    primary: bool = False


class _Name(msgspec.Struct):
    formatted: str | None = None


class _Work(msgspec.Struct):
    department: str | None = None
    cost_center: str | None = msgspec.field(name="costCenter", default=None)


class _User(msgspec.Struct):
    user_name: str = msgspec.field(name="userName")
    id: str | None = None
    active: bool = True
    display_name: str | None = msgspec.field(name="displayName", default=None)
    name: _Name | None = None
    emails: list[_Email] = []
    work: _Work | None = msgspec.field(name=_ENTERPRISE, default=None)


class _List(msgspec.Struct):
    resources: list[_User] = msgspec.field(name="Resources")
    total: int = msgspec.field(name="totalResults")
    start: int = msgspec.field(name="startIndex", default=1)


def people(name: str, text: str) -> Iterator[Person]:
    """Yield the people of a ListResponse.

    Raises:
        FileRefused: It is no ListResponse, or only the first page of one.
    """
    try:
        found = msgspec.json.decode(text, type=_List)
    except msgspec.DecodeError as broken:
        remedy = "Save the answer of GET /Users as it is."
        raise FileRefused(name, f"is no SCIM ListResponse ({broken})", remedy) from None
    if found.start == 1 and len(found.resources) < found.total:
        why = f"has {len(found.resources)} of {found.total} people"
        raise FileRefused(name, why, "Ask with a count large enough for all of them.")
    for number, user in enumerate(found.resources, 1):
        yield _person(f"{name}, Resources {number}", user)


def _person(place: str, user: _User) -> Person:
    ordered = sorted(user.emails, key=lambda one: not one.primary)
    mails = [one.value for one in ordered]
    if "@" in user.user_name:
        mails.append(user.user_name)
    work = user.work or _Work()
    return Person(
        place=place,
        person_id=user.id or user.user_name,
        name=user.display_name or (user.name.formatted if user.name else None),
        email=mails[0] if mails else None,
        aliases=tuple(mails[1:]),
        team=work.department,
        cost_center=work.cost_center,
        has_left=not user.active,
    )
