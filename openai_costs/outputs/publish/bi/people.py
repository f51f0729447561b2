"""The view of people: what each costs at every provider. No e-mail address."""

from typing import Final

from openai_costs.outputs.publish.bi.view import View, mirrored
from openai_costs.sources.registry import PROVIDERS
from openai_costs.tables.core.spend import BILLED
from openai_costs.tables.mart.people import People

_PROVIDERS: Final = tuple(one.name for one in PROVIDERS if one.cost_basis == BILLED)
"""Each has a column; what connections of another one bill is in other_usd."""

_PART: Final = "coalesce(CAST(json_extract_string(p.by_provider, '$.{0}') AS DOUBLE), 0)"
_PARTS: Final = {f"{one}_usd": _PART.format(one) for one in _PROVIDERS}
_MIRRORED: Final = mirrored(
    "people",
    People,
    "What does each person cost, at every provider together?",
    without=("email",),
    labels={"name": "person_id", "team": None, "cost_center": None},
)

PEOPLE: Final = (
    View(
        name="people",
        about=_MIRRORED.about.partition(" Contains e-mail")[0],
        sql=f"""
            SELECT p.*, {", ".join(f"{sql} AS {name}" for name, sql in _PARTS.items())},
                   p.billed_usd - ({" + ".join(_PARTS.values())}) AS other_usd
            FROM ({_MIRRORED.sql}) p
        """,  # noqa: S608 - our own words
        columns=_MIRRORED.columns
        | {
            f"{one}_usd": f"Dollars billed by connections with provider {one}. [USD]"
            for one in _PROVIDERS
        }
        | {"other_usd": "Dollars billed by any other connection. [USD]"},
        answers=_MIRRORED.answers,
    ),
)
