"""People from a Backstage catalog: kinds User and Group, in YAML or as the API's JSON. Pure.

https://backstage.io/docs/features/software-catalog/descriptor-format#kind-user `spec.profile.email`
is optional there; a user without one is found by `openai.com/user-id`. Teams are entity references:
`infra`, `default/infra` and `group:default/infra` are one.
https://backstage.io/docs/features/software-catalog/references
"""

from collections.abc import Iterable, Iterator, Mapping

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.people.json_values import Item, items, part, text, texts
from openai_costs.sources.people.people import (
    Group,
    Person,
    Row,
    SetAside,
    addresses_in,
    listed_addresses,
    person,
    status_of,
)

USER_ID = "openai.com/user-id"
ALIASES = "finops/aliases"
COST_CENTER = "finops/cost-center"
STATUS = "finops/status"
LEFT_DAY = "finops/left-day"
"""Annotations we read. The first is the person's id at OpenAI."""

DEFAULT_NAMESPACE = "default"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # without stubs it is Any
    """Reads days as text: one that does not exist is a remark, and not the end of the file."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

Entity = tuple[str, Item]
"""A place, and the entity there."""


def people(name: str, content: str) -> Iterator[Row]:
    """Yield the users and groups of a catalog file.

    Raises:
        FileRefused: It is not YAML.
    """
    yield from users(list(_entities(name, content)))


def users(entities: Iterable[Entity]) -> Iterator[Row]:
    """Yield the users and groups among some entities; a group may list its members instead."""
    for place, entity in entities:
        if entity.get("kind") == "User":
            yield _person(place, entity)
        elif entity.get("kind"):
            team = entity_name(text(part(entity, "metadata"), "name") or "")
            members = texts(items(part(entity, "spec"), "members"))
            yield Group(team, tuple(map(entity_name, members)))


def entity_name(reference: str) -> str:
    """Return the name that an entity reference has: `[kind:][namespace/]name`.

    The namespace is part of it unless it is the default one.
    """
    namespace, _, name = reference.strip().rpartition(":")[2].rpartition("/")
    return name if namespace in ("", DEFAULT_NAMESPACE) else f"{namespace}/{name}"


def _entities(name: str, content: str) -> Iterator[Entity]:
    loader, line = None, 1
    try:
        loader = _Loader(content)
        while loader.check_node():
            node = loader.get_node()
            line = node.start_mark.line + 1
            document = loader.construct_document(node)
            for one in document if isinstance(document, list) else [document]:
                if isinstance(one, Mapping):
                    yield f"{name}, line {line}", one
    except (yaml.YAMLError, ValueError, RecursionError) as broken:  # ValueError: not a number
        place = f"{name}, line {_line_of(broken, content) or line}"
        why = getattr(broken, "problem", None) or str(broken).partition("\n")[0]
        raise FileRefused(place, f"is not YAML ({why})", "Fix the indent or the quote.") from None
    finally:
        if loader:
            loader.dispose()


def _line_of(broken: Exception, content: str) -> int | None:
    """Return the line that an error names, if it does."""
    if mark := getattr(broken, "problem_mark", None):
        return int(mark.line) + 1
    position = getattr(broken, "position", None)  # of a character that YAML does not allow
    return None if position is None else content.count("\n", 0, position) + 1


def _person(place: str, entity: Item) -> Row:
    metadata, spec = part(entity, "metadata"), part(entity, "spec")
    notes, profile = part(metadata, "annotations"), part(spec, "profile")
    person_id = text(metadata, "name")
    if not person_id:
        why = "the user has no metadata.name, which is the id"
        return SetAside(place, why, addresses_in(texts([profile], "email")))
    status = status_of(text(notes, STATUS), text(notes, LEFT_DAY))
    teams = [*texts(items(spec, "memberOf")), *_related(entity)]
    listed = Person(
        place=place,
        person_id=person_id,
        name=text(profile, "displayName"),
        email=text(profile, "email"),
        aliases=listed_addresses(text(notes, ALIASES)),
        team=entity_name(teams[0]) if teams else None,
        cost_center=text(notes, COST_CENTER),
        has_left=status.has_left,
        left_day=status.left_day,
        openai_user_id=text(notes, USER_ID),
        remarks=status.remarks,
    )
    return person(listed)


def _related(entity: Item) -> Iterator[str]:
    """Yield the groups that the API's `relations` name."""
    for one in items(entity, "relations"):
        if isinstance(one, Mapping) and one.get("type") == "memberOf":
            yield from texts([one], "targetRef")
