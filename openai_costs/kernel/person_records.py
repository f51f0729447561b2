"""What an object or a row says of one person together: whose id, names and addresses. Pure.

An object names other people too: the owner of a key, who sent an invitation. So fields are of one
person only where a shape has them together. Not here: what stands in their place (pseudonyms.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

Kind = Literal["id", "name", "email"]

ALIASES = "aliases"
"""Other addresses in the company's directory, which say of no one who it is: the mailbox of a role
goes from one person to the next."""


class Cell(NamedTuple):
    """A text and the key or the column that it stands in."""

    field: str
    text: str


Record = Mapping[Cell, Kind]
"""All cells about one person, and what each is; ids and addresses say who that is."""


class _Shape(NamedTuple):
    """Fields that are of one person, where an object has them.

    Args:
        ids: Say who it is.
        emails: Addresses, which say so too.
        names: Are theirs, and say of no one who it is.
        without: Fields by which an object is about something else.
    """

    ids: tuple[str, ...]
    emails: tuple[str, ...]
    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


_SHAPES = (
    _Shape(("id", "login"), ("email",), ("name",), without=("user_id", "owner_id")),
    _Shape(("user_id",), ("email", "email_address"), ("name",), without=("id",)),
    _Shape(("user_id",), ("user_email",), ("user_name", "user_alias")),
    _Shape(("user_api_key_user_id",), ("user_api_key_user_email",)),
    _Shape(("owner_id",), ("owner_email",), ("owner_name",)),
    _Shape(("person_id", "openai_user_id"), ("email", ALIASES), ("name",)),
)
"""A member or an owner; who did something; whose a row, a request or a key is; someone in the
company's directory."""

_WORDS = ("object", "type")
"""Where an object says what it is."""

_THINGS = frozenset(("invite", "api_key", "admin_api_key"))
"""What has an id of its own beside a name or an address."""

_SHARED = frozenset(("default_user_id",))
"""What LiteLLM writes as the user of whoever has its master key: it is of no one."""

FIELDS = frozenset((*(field for shape in _SHAPES for some in shape for field in some), *_WORDS))
"""The fields that matter here."""

PERSONAL = frozenset(
    field for shape in _SHAPES for field in (*shape.emails, *shape.names, *shape.ids[1:])
)
"""Those without one of which nothing is about a person."""


def records(cells: Sequence[Cell]) -> Iterator[Record]:
    """Yield what some cells of one object or row say of a person each.

    Args:
        cells: Those of FIELDS.
    """
    fields = {one.field for one in cells}
    words = {one.text.rpartition(".")[2].casefold() for one in cells if one.field in _WORDS}
    for shape in _SHAPES:
        is_thing = "id" in shape.ids and not words.isdisjoint(_THINGS)
        if is_thing or not fields.isdisjoint(shape.without):
            continue
        if record := dict(_of_shape(shape, cells)):
            yield record


def _of_shape(shape: _Shape, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Kind]]:
    """Yield the cells of a shape, ids first; an account that stands for a name is an id."""
    ids = {one.text for one in cells if one.field in shape.ids}
    for some in (shape.ids, shape.emails, shape.names):
        for one in cells:
            if one.field in some and one.text not in _SHARED:
                may_be = some is shape.names or one.field == ALIASES
                is_name = may_be and one.text not in ids
                yield one, "email" if "@" in one.text else "name" if is_name else "id"
