"""Whose data a verdict is about: it says nothing of connections that it did not look at.

A run may ask some connections only. Its verdicts name them in their metadata, for whoever reads
the verdict and for the rule that decides what still stands (outputs/alerts/unresolved_failures.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

CONNECTIONS = "connections"
"""The figure that names the connections that a verdict, or a materialization, is about."""

FAILURES = "failures"
"""The figure of a failed verdict with a sentence for each connection that failed."""

_BETWEEN = ", "


@dataclass(frozen=True)
class Scope:
    """What a verdict looked at.

    Args:
        connections: The connections that were looked at; none of them named is all there are.
        failures: Why the verdict is red, by connection, where each was looked at by itself.
    """

    connections: Sequence[str] = ()
    failures: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, evaluation: dg.AssetCheckEvaluation) -> "Scope":
        """Return the scope of a verdict that Dagster has recorded."""
        names, failures = (evaluation.metadata.get(one) for one in (CONNECTIONS, FAILURES))
        by_name = failures.value if failures and isinstance(failures.value, Mapping) else {}
        return cls(
            names_in(str(names.value) if names else ""),
            {name: str(text) for name, text in by_name.items()},
        )

    def figures(self) -> dict[str, Any]:
        """Return what Dagster records of it, beside the other figures of a verdict."""
        names = {CONNECTIONS: joined(self.connections)} if self.connections else {}
        return {**names, **({FAILURES: dict(self.failures)} if self.failures else {})}


def joined(connections: Sequence[str]) -> str:
    """Return the names of connections as one text."""
    return _BETWEEN.join(connections)


def names_in(text: str) -> Sequence[str]:
    """Return the names of connections in such a text; an empty one has none."""
    return text.split(_BETWEEN) if text else ()


EVERYTHING = Scope()
"""The scope of a verdict about all that is stored, whichever connections a run asks."""
