"""`[[teams]]`: whose money a project's, a person's or a key's is."""

from collections.abc import Sequence

from openai_costs.sections.section import NoAddress, Section


class Team(Section):
    """A team, and what belongs to it. A key says more than a user, a user more than a project."""

    name: NoAddress
    api_keys: tuple[NoAddress, ...] = ()
    users: tuple[NoAddress, ...] = ()
    projects: tuple[NoAddress, ...] = ()


def refuse_shared(teams: Sequence[Team]) -> None:
    """Refuse what is in two teams, or twice in one: whose money would it be?

    Raises:
        ValueError: Names the first such thing, and where it is.
    """
    for kind in ("api_keys", "users", "projects"):
        names: dict[str, list[str]] = {}
        for team in teams:
            for one in getattr(team, kind):
                names.setdefault(one, []).append(team.name)
        for one, of in sorted(names.items()):
            if len(of) > 1:
                where = " and ".join(of) if len({*of}) > 1 else f"{of[0]} twice"
                raise ValueError(f"teams: {one} is in {kind} of {where}; leave it in once")
