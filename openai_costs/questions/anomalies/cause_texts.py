"""The causes of an unusual day as text: exact JSON for tools, words for people. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from openai_costs.questions.anomalies.causes import Change, Contribution, causes
from openai_costs.questions.causes import Cause, added_up, as_json, cause, from_json, in_words

WHO = ("key", "user")

WHAT = ("model", "line_item")

OWN_DIMENSIONS = {"user": ("user",), "key": ("user", "key"), "model": ("model",)}
"""Dimensions in which a series of a level has one child only: itself."""

DIMENSION_NAMES = {"key": "api_key"}


def causes_as_json(changes: Sequence[Change], level: str, names: Mapping[str, str]) -> str:
    """Return who and what explains a day: a list for each, which adds up to the day's impact.

    Args:
        changes: Those of the leaf rows of a series.
        level: The level of the series.
        names: Names by series_id, without the connection.
    """
    records: list[Cause] = []
    for dimensions in (WHO, WHAT):
        asked = [name for name in dimensions if name not in OWN_DIMENSIONS.get(level, ())]
        if asked:
            records += [_record(one, names) for one in causes(changes, asked)]
    return as_json(records)


def _record(contribution: Contribution, names: Mapping[str, str]) -> Cause:
    dimension, child, usd, effects = contribution
    name = names.get(f"{dimension}:{child}")
    return cause(DIMENSION_NAMES.get(dimension, dimension), child, usd, name, effects._asdict())


MOST_CAUSES = 3

OF_PEOPLE = frozenset({*WHO, "api_key"})


def causes_in_words(texts: Iterable[str]) -> str:
    """Return the causes of the days of an incident in words, the largest of each dimension first.

    Args:
        texts: The column `causes` of its days.
    """
    sides: dict[str, list[Cause]] = {}
    for one in (one for text in texts for one in from_json(text)):
        sides.setdefault("Who" if one["dimension"] in OF_PEOPLE else "What", []).append(one)
    return " ".join(
        f"{side}: {in_words(added_up(found), MOST_CAUSES)}." for side, found in sides.items()
    )
