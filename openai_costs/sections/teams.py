"""`[[teams]]`: whose money a project's, a person's or a key's is."""

from pydantic import Field

from openai_costs.sections.section import Section


class Team(Section):
    """A team, and what belongs to it. A key says more than a user, a user more than a project."""

    name: str = Field(min_length=1)
    api_keys: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
