"""A registry that lost most of its tokens: none of them is gone, and no key is judged by it."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from upath import UPath

from openai_costs.questions.gateway import registry_until_of
from openai_costs.settings import Gateway
from openai_costs.sources.gateway.frames import tokens
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs_tests.sources.gateway.litellm.proxy import DAY, NOW, URL, kept, key

FOUR = ("t1", "t2", "t3", "t4")


def registry(*live: str, days: int = 0, deleted: Sequence[str] = ()) -> KeptRead:
    pages = {
        part: json.dumps({"keys": [key(one) for one in some], "total_pages": 1}).encode()
        for part, some in (("keys.0", live), ("deleted.0", deleted))
    }
    asked = {part: ("/key/list", list[tuple[str, str]](), list[str]()) for part in pages}
    at = NOW + timedelta(days=days)
    day = DAY + timedelta(days=days)
    return kept(DayRead("litellm", "gateway", "registry", day, at, asked, pages))


def current(*reads: KeptRead) -> tuple[list[str], list[str]]:
    """The tokens that count as listed, and what the check says."""
    found, said = tokens("gateway", reads, (), ApiKeys.no_rows())
    return found.filter("is_current")["token_id"].to_list(), said


@pytest.mark.parametrize(("left", "count"), [((), "0 tokens"), (("t1",), "1 token")])
def test_nothing_is_gone_before_a_registry_of_another_day_has_as_few(
    left: Sequence[str], count: str
) -> None:
    reads = registry(*FOUR), registry(*left, days=1)
    listed, (said,) = current(*reads)
    assert listed == [*FOUR]
    assert said == (
        f"The registry of 2026-03-11 (token_metadata) has {count}, and an earlier one has 4: more "
        "than half are missing. None of them counts as deleted, and no key is judged by it, before "
        "a registry of another day has as few."
    )
    assert current(*reads, registry(*left, days=2)) == ([*left], [])


def test_tokens_that_it_lists_as_deleted_are_not_missing() -> None:
    deleted = FOUR[1:]
    assert current(registry(*FOUR), registry("t1", days=1, deleted=deleted)) == (["t1"], [])


def test_a_registry_that_is_read_no_more_is_not_an_error_for_good() -> None:
    reads = registry(*FOUR), registry(days=1)
    _, said = tokens("gateway", reads, (), ApiKeys.no_rows(), read_now=())
    assert said == []


def test_days_are_judged_up_to_the_last_registry_that_is_believed(tmp_path: Path) -> None:
    lake, gateway = Lake(UPath(tmp_path)), Gateway(litellm_url=URL)
    reads = [registry(*FOUR), registry("t1", days=1)]

    def until() -> date:
        frame, _ = tokens(gateway.name, reads, (), ApiKeys.no_rows())
        lake.replace_whole(GatewayTokens, frame)
        return registry_until_of(lake, gateway)

    assert until() == DAY
    reads.append(registry("t1", days=2))
    assert until() == DAY + timedelta(days=2)
