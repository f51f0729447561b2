from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openai_costs.orchestration.jobs import DIRECTORY
from openai_costs.sources.account_evidence import Evidence
from openai_costs.sources.openai.assets import OPENAI
from openai_costs.sources.organization.kinds import OWNED
from openai_costs.storage.archive import DayRead
from openai_costs_tests.org import NOW, House, day, house, of_names

LAST = day(18)


def without_costs(number: int) -> DayRead:
    """A read of a day on which nothing was billed: it has no id of its own."""
    body = b'{"object":"page","data":[],"has_more":false,"next_page":null}'
    return DayRead("openai", "acme", "costs", day(number), NOW, {}, {"ledger": body})


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = house(tmp_path_factory.mktemp("listed") / "home", "acme")
    assert made.run(LAST, LAST, job=DIRECTORY, only=of_names()).is_green
    return made


def test_the_lists_of_a_connection_are_decoded_once_for_all_days_without_costs(
    listed: House,
) -> None:
    decoded: list[Any] = []
    organization = OPENAI.organization
    assert organization

    def listing(kind: Any, read: Any) -> Any:  # noqa: ANN401 - as the source has it
        decoded.append(kind)
        return organization.listing(kind, read)

    evidence = Evidence(listed.archive, OPENAI.costs, replace(organization, listing=listing))
    found = [evidence.ids_in("acme", without_costs(number)) for number in range(1, 18)]
    assert all(found)
    assert all(one == found[0] for one in found)
    assert len(decoded) == len(OWNED)
    evidence.forget("acme")
    assert evidence.ids_in("acme", without_costs(1)) == found[0]
    assert len(decoded) == 2 * len(OWNED)
