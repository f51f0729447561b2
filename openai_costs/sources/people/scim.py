"""People from a whole SCIM 2.0 ListResponse (RFC 7643, RFC 7644). Pure."""

from collections.abc import Iterator

import msgspec

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.people.people import Person, has_left

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


Truth = bool | str | None
"""Some directories write "True" for true, and null for what they leave out."""


class _Email(msgspec.Struct):
    value: str | None = None
    primary: Truth = None


class _Name(msgspec.Struct):
    formatted: str | None = None


class _Work(msgspec.Struct):
    department: str | None = None
    cost_center: str | None = msgspec.field(name="costCenter", default=None)


class _User(msgspec.Struct):
    user_name: str = msgspec.field(name="userName")
    id: str | int | None = None
    active: Truth = None
    display_name: str | None = msgspec.field(name="displayName", default=None)
    name: _Name | None = None
    emails: list[_Email] | None = None
    work: _Work | None = msgspec.field(name=_ENTERPRISE, default=None)


class _List(msgspec.Struct):
    resources: list[_User] = msgspec.field(name="Resources")
    total: int = msgspec.field(name="totalResults")


def people(name: str, text: str) -> Iterator[Person]:
    """Yield the people of a ListResponse.

    Raises:
        FileRefused: It is no ListResponse, or only a page of one.
    """
    try:
        found = msgspec.json.decode(text, type=_List)
    except msgspec.DecodeError as broken:
        remedy = "Save the answer of GET /Users as it is."
        raise FileRefused(name, f"is no SCIM ListResponse ({broken})", remedy) from None
    if len(found.resources) < found.total:
        why = f"has {len(found.resources)} of {found.total} people"
        raise FileRefused(name, why, "Ask with a count large enough for all of them.")
    for number, user in enumerate(found.resources, 1):
        yield _person(f"{name}, Resources {number}", user)


def _person(place: str, user: _User) -> Person:
    ordered = sorted(user.emails or [], key=lambda one: not _is_true(one.primary))
    mails = [one.value for one in ordered if one.value]
    if "@" in user.user_name:
        mails.append(user.user_name)
    work = user.work or _Work()
    return Person(
        place=place,
        person_id=str(user.id or user.user_name),
        name=user.display_name or (user.name.formatted if user.name else None),
        email=mails[0] if mails else None,
        aliases=tuple(mails[1:]),
        team=work.department,
        cost_center=work.cost_center,
        has_left=user.active is not None and has_left(place, str(user.active)),
    )


def _is_true(said: Truth) -> bool:
    return str(said).casefold() == "true"
