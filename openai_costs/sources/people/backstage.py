"""People from a Backstage catalogue: documents of kind User, in YAML or as the API's JSON. Pure.

https://backstage.io/docs/features/software-catalog/descriptor-format#kind-user
`spec.profile.email` is optional there; a user without one is found by `openai.com/user-id`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.people.people import Person, addresses, day, has_left

USER_ID = "openai.com/user-id"
ALIASES = "finops/aliases"
COST_CENTER = "finops/cost-center"
STATUS = "finops/status"
LEFT_DAY = "finops/left-day"
"""Annotations we read. The first is the person's id at OpenAI."""


def people(name: str, text: str) -> Iterator[Person]:
    """Yield the users of a catalogue file; other kinds are passed over.

    Raises:
        FileRefused: It is no YAML, or a user has no name.
    """
    loader, line = None, 1
    try:
        loader = yaml.SafeLoader(text)
        while loader.check_node():
            node = loader.get_node()
            line = node.start_mark.line + 1
            document = loader.construct_document(node)
            for one in document if isinstance(document, list) else [document]:
                if isinstance(one, Mapping) and one.get("kind") == "User":
                    yield _person(f"{name}, line {line}", one)
    except (yaml.YAMLError, ValueError) as broken:  # a ValueError: 2026-02-30 looks like a day
        place = f"{name}, line {_line_of(broken, text) or line}"
        why = getattr(broken, "problem", None) or str(broken).partition("\n")[0]
        raise FileRefused(place, f"is no YAML ({why})", "Correct the indent or quote.") from None
    finally:
        if loader:
            loader.dispose()


def _line_of(broken: Exception, text: str) -> int | None:
    """Return the line an error speaks of, where it names one."""
    if mark := getattr(broken, "problem_mark", None):
        return int(mark.line) + 1
    position = getattr(broken, "position", None)  # of a character that YAML does not allow
    return None if position is None else text.count("\n", 0, position) + 1


def _person(place: str, document: Mapping[str, Any]) -> Person:
    metadata, spec = _part(document, "metadata"), _part(document, "spec")
    notes, profile = _part(metadata, "annotations"), _part(spec, "profile")
    person_id = metadata.get("name")
    if not isinstance(person_id, str) or not person_id:
        raise FileRefused(place, "the user has no metadata.name", "Give it one: it is the id.")
    teams = spec.get("memberOf") or []
    return Person(
        place=place,
        person_id=person_id,
        name=_text(profile, "displayName"),
        email=_text(profile, "email"),
        aliases=addresses(_text(notes, ALIASES)),
        team=str(teams[0]) if isinstance(teams, list) and teams else None,
        cost_center=_text(notes, COST_CENTER),
        has_left=has_left(place, _text(notes, STATUS) or ""),
        left_day=day(place, _text(notes, LEFT_DAY)),
        openai_user_id=_text(notes, USER_ID),
    )


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(of: Mapping[str, Any], name: str) -> str | None:
    found = of.get(name)
    return None if found is None else str(found)
