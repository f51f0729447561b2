"""`[[teams]]`: whose money a project's, a person's or a key's is."""

from typing import Annotated

from pydantic import StringConstraints

from openai_costs.sections.section import Section

NoAddress = Annotated[str, StringConstraints(pattern=r"^[^@]+$")]
"""A name or an id; an e-mail address is neither."""


class Team(Section):
    """A team, and what belongs to it. A key says more than a user, a user more than a project."""

    name: NoAddress
    api_keys: tuple[NoAddress, ...] = ()
    users: tuple[NoAddress, ...] = ()
    projects: tuple[NoAddress, ...] = ()
