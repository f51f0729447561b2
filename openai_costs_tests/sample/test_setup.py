"""The sample company with accounts at several providers: its settings, and whose is what."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.sample.accounts import EVERY_PROVIDER, OF_THE_DEMO
from openai_costs.sample.anthropic.charges import agent_loop, charges
from openai_costs.sample.setup import CONFIG, Company, Wanted, company
from openai_costs.sources.registry import PROVIDERS, connection_kinds

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOON.date()


def made(*providers: str) -> Company:
    wanted = Wanted(30, providers=providers or OF_THE_DEMO)
    return company(Path("data"), wanted, now=NOON, kinds=connection_kinds())


def test_the_demo_has_a_connection_at_each_of_five_providers():
    its = made()
    assert tuple(one.provider for one in its.settings.connections) == OF_THE_DEMO
    assert {path.split("/")[1] for path in its.files if path.startswith("billing/")} == {"aws"}
    budgets = {one.name: one.scope for one in its.settings.budgets}
    assert {"all", "team", "provider", "connection"} == set(budgets.values())


def test_the_company_has_an_account_at_every_provider_there_is():
    assert set(EVERY_PROVIDER) == {one.name for one in PROVIDERS}
    assert {one.provider for one in made(*EVERY_PROVIDER).settings.connections} == set(
        EVERY_PROVIDER
    )


def test_a_person_belongs_to_one_team_under_each_of_their_names():
    teams = {one.name: set(one.users) for one in made().settings.teams}
    names = {"user-ruben", "user_01ruben", "ruben-k"}
    assert [team for team, users in teams.items() if users & names] == ["routing"]
    assert names <= teams["routing"]


def test_the_company_with_openai_alone_names_no_other_provider():
    text = made("openai").files[CONFIG].decode()
    assert text.count("[[connections]]") == 1
    assert "provider" not in text
    assert "limit_usd = 9700" in text


def test_a_provider_that_it_does_not_use_is_refused_with_those_it_uses():
    with pytest.raises(SettingsError, match=r"does not use groq\. It uses: openai, anthropic"):
        made("groq")


def test_an_agent_of_one_person_ran_on_for_two_days_at_anthropic():
    organisation = made().organisation

    def cents(age: int) -> Decimal:
        lines = charges(organisation, TODAY - timedelta(days=age), NOON)
        ours = (one.cents for one in lines if one.place.actor.get("user_id") == "user_01ruben")
        return sum(ours, Decimal(0))

    for age, times in agent_loop(TODAY).items():
        assert cents(age) > cents(age + 7) * (times - 3) > 0
