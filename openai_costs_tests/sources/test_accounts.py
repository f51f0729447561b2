from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.load import settings_of
from openai_costs.sources.accounts import refusal
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs_tests.org import House, connection, day, house, organisation_of

FIRST, LAST = day(16), day(18)


def totals(made: House) -> dict[str, Decimal]:
    """Dollars by connection in the published core.spend."""
    question = "SELECT connection, sum(billed_usd) FROM core.spend GROUP BY ALL"
    with duckdb.connect(str(made.published), read_only=True) as sql:
        return dict(sql.execute(question).fetchall())


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = house(tmp_path_factory.mktemp("once") / "home", "acme")
    assert made.run(FIRST, LAST).is_green
    return made


def with_connections(made: House, *names: str) -> House:
    """The same home under other settings; every connection reads the same organization."""
    made.connections = tuple(connection(name) for name in names)
    for name in names:
        made.serve(name)
    return made


def test_the_ledger_names_the_organization_of_the_pages(read_once: House) -> None:
    with duckdb.connect(str(read_once.published), read_only=True) as sql:
        named = sql.execute("SELECT DISTINCT organization_id FROM core.spend").fetchall()
    assert named == [("org-tidewatermaps",)]


def test_an_organization_under_two_connections_is_counted_once_and_named(
    read_once: House, tmp_path: Path
) -> None:
    before = totals(read_once)
    made = with_connections(read_once.moved_to(tmp_path / "home"), "acme", "acme-new-key")
    ran = made.run(FIRST, LAST)
    assert totals(made) == before
    verdict = ran.of("raw/openai_costs", "read_complete")[str(LAST)]
    assert not verdict.passed
    assert (
        "Connection 'acme-new-key' reads org-tidewatermaps, which 'acme' reads too: it is counted "
        "once, as 'acme'."
    ) in verdict.because


def test_doctor_names_the_two_connections_of_one_organization_until_one_is_removed(
    read_once: House, tmp_path: Path
) -> None:
    made = with_connections(read_once.moved_to(tmp_path / "home"), "acme", "acme-new-key")
    made.run(FIRST, LAST)
    assert "which 'acme' reads too" in refusal(made.archive, made.connections[1])
    made = with_connections(made, "acme-new-key")
    assert made.at(made.clock.now + timedelta(hours=1)).run(FIRST, LAST).is_green
    assert refusal(made.archive, made.connections[0]) == ""
    assert list(totals(made)) == ["acme-new-key"]


def test_two_connections_with_one_key_and_one_address_are_refused() -> None:
    tables = [{"name": name, "admin_key_env": "ACME_KEY"} for name in ("acme", "again")]
    with pytest.raises(SettingsError, match="acme and again have the same key"):
        settings_of({"connections": tables}, (OpenAIConnection,), "", Path("costs.toml"), "")


def test_a_renamed_connection_goes_on_with_its_days_and_they_are_counted_once(
    read_once: House, tmp_path: Path
) -> None:
    before = sum(totals(read_once).values())
    made = with_connections(read_once.moved_to(tmp_path / "home"), "tidewater-inc")
    made.at(made.clock.now + timedelta(hours=1))
    assert made.run(FIRST, LAST).is_green
    assert totals(made) == {"tidewater-inc": before}
    assert made.archive.connections("openai") == ["tidewater-inc"]
    assert len(made.archive.reads("openai", "tidewater-inc", "costs", LAST)) == 2


def test_a_key_of_another_organization_than_the_settings_say_changes_nothing(
    read_once: House, tmp_path: Path
) -> None:
    made = read_once.moved_to(tmp_path / "home")
    before = totals(made)
    made.serve("acme", organisation=organisation_of("org-other"))
    ran = made.run(FIRST, LAST)
    assert not ran.is_green
    assert (
        "Connection 'acme': this key reads org-other, but the settings say org-tidewatermaps. "
        "Nothing was changed."
    ) in " ".join(ran.failures)
    assert ran.retried == 0
    assert totals(made) == before
    assert len(made.archive.reads("openai", "acme", "costs", LAST)) == 1
    aside = made.archive.reads("openai", "acme", "costs_of_another_account", day(17))
    assert len(aside) == 1


def test_a_key_of_another_organization_than_before_changes_nothing(
    read_once: House, tmp_path: Path
) -> None:
    made = read_once.moved_to(tmp_path / "home")
    before = totals(made)
    made.connections = (made.connections[0].model_copy(update={"organization_id": "org-other"}),)
    made.serve("acme", organisation=organisation_of("org-other"))
    ran = made.run(FIRST, LAST)
    assert not ran.is_green
    assert "but its stored days are of org-tidewatermaps" in " ".join(ran.failures)
    assert totals(made) == before
