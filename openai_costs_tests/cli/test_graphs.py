"""Runs of the same settings are of the same definitions; of others, of others."""

from __future__ import annotations

from pathlib import Path

from openai_costs.cli.graphs import Graphs
from openai_costs.sources.provider import Reach
from openai_costs_tests.org import HandClock, calm, house


def test_definitions_are_built_once_for_each_settings_clock_and_way_out() -> None:
    settings = house(Path("nowhere"), "acme", "bolt").settings
    graphs, clock, reach = Graphs(), HandClock(), Reach(lambda _: None)
    same = settings.model_copy()
    others = [
        (settings.only("acme"), clock, reach),
        (settings, HandClock(), reach),
        (settings, clock, Reach(lambda _: None)),
    ]
    with calm():
        first = graphs.of(settings, clock, reach)
        assert graphs.of(same, clock, reach) is first
        assert first not in [graphs.of(*other) for other in others]
