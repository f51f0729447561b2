from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

from openai_costs.sources.gateway.frames import tokens
from openai_costs.sources.list_dates import as_dated
from openai_costs.storage.archive import KeptRead
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs_tests.sources.gateway.litellm.proxy import a_read
from openai_costs_tests.sources.openai.organization.wire import DAY, NOON, project, read, rows

LONG_AGO = datetime(1970, 1, 2, 12, tzinfo=UTC)
NEXT = timedelta(days=1)


def by_two_clocks(kept: KeptRead, ours: datetime, server: datetime | None) -> KeptRead:
    """A list as earlier versions kept it: under the day of the earlier of two clocks."""
    early = min(ours, server or ours)
    dated = {"day": early.date(), "read_at": early, "clock_at": ours, "server_at": server}
    return replace(kept, manifest=msgspec.structs.replace(kept.manifest, **dated))


def test_what_a_clock_far_behind_listed_was_first_seen_on_the_servers_day() -> None:
    wrong = by_two_clocks(read({"projects": [project("a")]}), LONG_AGO, NOON)
    later = read({"projects": [project("a"), project("b")]}, days=1)
    assert rows(Projects, "id first_seen_day last_seen_day", wrong, later) == [
        ("proj_a", DAY, DAY + NEXT),
        ("proj_b", DAY + NEXT, DAY + NEXT),
    ]


def test_the_list_of_a_clock_far_behind_is_the_newest_where_it_was_read_last() -> None:
    before = read({"projects": [project("a")]})
    wrong = by_two_clocks(read({"projects": [project("b")]}), LONG_AGO, NOON + NEXT)
    assert rows(Projects, "id is_current", wrong, before) == [("proj_a", False), ("proj_b", True)]


def test_a_list_whose_clocks_agree_or_were_not_compared_stays_as_it_is() -> None:
    kept = read({})
    for ours, server in ((NOON, NOON), (NOON + NEXT, NOON), (LONG_AGO, None)):
        as_it_is = by_two_clocks(kept, ours, server)
        assert as_dated(as_it_is) is as_it_is


def test_a_gateways_registry_of_a_clock_far_behind_has_the_proxys_day() -> None:
    listed = a_read("keys.0", {"keys": [{"token": "t1"}], "total_pages": 1}, "registry")
    at = listed.manifest.read_at
    newer = by_two_clocks(listed, LONG_AGO, at + NEXT)
    found, refused = tokens("gateway", [newer, listed], (), pl.DataFrame(schema=ApiKeys.types()))
    assert refused == []
    seen = found.select("first_seen_day", "last_seen_day").rows()
    assert seen == [(DAY, at.date() + NEXT)]
