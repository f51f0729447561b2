"""The asset graph as text: `python -m openai_costs_tests.graph > openai_costs_tests/graph.txt`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg

from openai_costs_tests.org import calm, house

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = "# key | group | deps | kinds | checks"


def lines(graph: dg.AssetGraph) -> Iterator[str]:
    """One line per asset: key | group | deps | kinds | checks."""
    for key in sorted(graph.get_all_asset_keys(), key=dg.AssetKey.to_user_string):
        node = graph.get(key)
        parts = (
            [key.to_user_string()],
            [node.group_name],
            sorted(parent.to_user_string() for parent in node.parent_keys),
            sorted(node.kinds),
            sorted(check.name for check in node.check_keys),
        )
        yield " | ".join(", ".join(part) or "-" for part in parts)


def resolved() -> dg.AssetGraph:
    """The graph of the sample organization."""
    with calm():
        return house(Path("nowhere")).defs().resolve_asset_graph()


if __name__ == "__main__":
    sys.stdout.write("\n".join([HEAD, *lines(resolved()), ""]))
