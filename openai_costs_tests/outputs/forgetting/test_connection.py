from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.forgetting.connection import departure
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.publication_state import last_state, unpublished
from openai_costs.storage.archive import DayRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.record import Entry, Record
from openai_costs.storage.renamed import rename_connection
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.org import INVOICED, files, house
from openai_costs_tests.questions.usage.frames import table

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs_tests.org import House

DAY, AT = date(2026, 11, 20), datetime(2026, 11, 23, tzinfo=UTC)
NOT_BILLED = dict.fromkeys(("metered_usd", "estimated_usd"), pl.lit(0, pl.Decimal(38, 18)))


def a_read(name: str, dataset: str = "costs") -> DayRead:
    parts = {"ledger": ("/costs", list[tuple[str, str]](), list[str]())}
    return DayRead("openai", name, dataset, DAY, AT, parts, {"ledger": b"{}"})


@pytest.fixture
def there(tmp_path: Path) -> House:
    """A home with a day of `acme` and of `beta`, whose settings have `acme` alone."""
    made = house(tmp_path / "home", "acme")
    for name in ("acme", "beta"):
        rows = pl.DataFrame(
            {"connection": [name], "day": [DAY], "billed_usd": ["1.50"]}
        ).with_columns(
            pl.col("billed_usd").cast(pl.Decimal(38, 18)),
            is_settled=True,
            is_over=True,
            read_at=AT.replace(tzinfo=None),
            **NOT_BILLED,
        )
        rows = rows.select(list(SpendControl.types()))
        made.lake.replace(SpendControl, [Batch(rows, {Slice(name, DAY): AT})])
        made.archive.keep(a_read(name))
    rows_of_both = [{"finding": name, "connection": name} for name in ("acme", "beta")]
    Record(made.lake.root.parent).append("mutes", 1, Entry(rows_of_both))
    return made


def test_nothing_of_a_connection_is_left_and_the_others_stay(there: House) -> None:
    home, lines = there.lake.root.parent, list[str]()
    [where, _] = departure(there.settings, "beta").plan()
    assert where.startswith("beta is in ")
    assert Lake(home).connections(SpendControl) == ["acme", "beta"]
    made = list[str]()
    assert departure(there.settings, "beta").carry_out(lambda: made.append("anew"), lines.append)
    assert made == ["anew"]
    assert lines[-1].endswith(" of beta before, 0 places left.")
    assert Lake(home).connections(SpendControl) == ["acme"]
    assert [one.name for one in (home / "raw/openai").iterdir()] == ["acme"]
    everything = [*home.rglob("*")]
    assert not any("beta" in str(path) for path in everything)
    assert not any(b"beta" in path.read_bytes() for path in everything if path.is_file())
    entry = (home / "record/mutes/00000001.json").read_text().splitlines()[1:]
    assert [json.loads(line)["connection"] for line in entry] == ["acme"]


def test_folders_that_an_older_version_left_are_found_and_go(there: House) -> None:
    home, lines = there.lake.root.parent, list[str]()
    left = home / "lake/mart/spend/connection=gone/month=2026-11"
    left.mkdir(parents=True)
    [where, _] = departure(there.settings, "gone").plan()
    assert where == f"gone is in 1 place below {home}."
    assert departure(there.settings, "gone").carry_out(lambda: None, lines.append)
    assert lines[-1].endswith("1 place of gone before, 0 places left.")
    assert not left.parent.exists()


def test_a_name_that_another_connection_continues_is_refused_and_nothing_is_done(
    there: House,
) -> None:
    home = there.lake.root.parent
    rename_connection(home, "openai", "beta", "gamma")
    publish(home, Lake(home))
    before = files(home, "")
    with pytest.raises(SettingsError) as refused:
        departure(there.settings, "beta")
    assert str(refused.value) == (
        "The days of beta are continued as gamma, and counted once. Nothing was changed. "
        "To delete them, forget gamma."
    )
    assert files(home, "") == before


def test_pages_that_lie_aside_with_the_connection_that_counts_their_account_go(
    there: House,
) -> None:
    home, lines = there.lake.root.parent, list[str]()
    there.archive.keep(a_read("twin", "costs_of_another_account"))
    rename_connection(home, "openai", "twin", "acme")
    assert departure(there.settings, "twin").carry_out(lambda: None, lines.append)
    assert lines[-1].endswith("1 place of twin before, 0 places left.")
    assert [one.name for one in (home / "raw/openai/acme").iterdir()] == ["costs"]
    assert there.archive.reads("openai", "acme", "costs", DAY)


def test_a_name_that_was_given_again_goes_and_the_days_that_another_continues_stay(
    there: House,
) -> None:
    home, lines = there.lake.root.parent, list[str]()
    rename_connection(home, "openai", "beta", "gamma")
    publish(home, Lake(home))
    there.archive.keep(a_read("beta"))
    stay = "beta read 1 page of days that gamma continues: they are those of gamma, and stay."
    gone = departure(there.settings, "beta")
    assert [*gone.plan()][-1] == stay
    assert gone.carry_out(lambda: None, lines.append)
    assert lines[-2].endswith(" of beta before, 0 places left.")
    assert lines[-1] == stay
    assert there.archive.connections("openai") == ["acme", "gamma"]
    lines.clear()  # killed before it published again: the next one goes on
    Record(home).append("mutes", 2, Entry([{"finding": "beta", "connection": "beta"}]))
    assert departure(there.settings, "beta").carry_out(lambda: None, lines.append)
    assert lines[-2].endswith("1 place of beta before, 0 places left.")


def test_a_connection_that_is_called_as_its_provider_goes_and_the_others_of_it_stay(
    there: House,
) -> None:
    home = there.lake.root.parent
    parts = {"ledger": ("/v1/openai/costs", list[tuple[str, str]](), list[str]())}
    one = DayRead("openai", "openai", "costs", DAY, AT, parts, {"ledger": b"{}"})
    there.archive.keep(one)
    assert departure(there.settings, "openai").carry_out(lambda: None, list[str]().append)
    assert sorted(one.name for one in (home / "raw/openai").iterdir()) == ["acme", "beta"]


@pytest.mark.parametrize("name", ["openai", "costs", "spend", "core", "x"])
def test_a_word_of_paths_and_a_letter_in_random_bytes_are_no_connection(
    there: House, name: str
) -> None:
    (there.lake.root.parent / "published").mkdir()
    there.lake.root.parent.joinpath("published/packed").write_bytes(b'\0/x/\0|x|\0|x"\0')
    with pytest.raises(SettingsError, match=r"Nothing is kept of .* There is: acme, beta"):
        departure(there.settings, name)


def test_a_meters_row_says_no_more_that_a_forgotten_connection_has_its_bill(there: House) -> None:
    known = {"connection": "acme", "day": DAY, "grouping": "line_item", "billed_usd": Decimal(2)}
    either = '{"billed_by":"beta|other"}'
    tags = ('{"billed_by":"beta"}', either, '{"billed_by":"other"}', '{"team":"search"}', None)
    rows = [{"line_item": f"line {n}", "tags": one} for n, one in enumerate(tags)]
    meter = table(Spend, INVOICED | known | {"provider": "openai", "cost_basis": "metered"}, *rows)
    there.lake.replace(Spend, [Batch(meter, {Slice("acme", DAY): AT})])
    assert departure(there.settings, "beta").carry_out(lambda: None, list[str]().append)
    after = Lake(there.lake.root.parent).uncounted().read(Spend).sort("line_item")
    assert after["tags"].to_list() == [None, tags[2], *tags[2:]]
    assert after.drop("tags").equals(meter.drop("tags"))


def test_what_is_published_in_between_is_published_at_the_end(there: House) -> None:
    home = there.lake.root.parent
    gone = departure(there.settings, "beta")
    assert gone.carry_out(lambda: publish(home, Lake(home)) and None, list[str]().append)
    assert last_state(home) is not None
    assert unpublished(home, Lake(home)) == []


def test_a_connection_of_the_settings_is_refused(there: House) -> None:
    with pytest.raises(SettingsError, match=r"acme is a connection of .*Remove it from the"):
        departure(there.settings, "acme")


@pytest.mark.parametrize("name", ["", ".", "beta/costs", "*", "../raw"])
def test_what_cannot_be_the_name_of_a_connection_names_none(there: House, name: str) -> None:
    with pytest.raises(SettingsError, match=r"Nothing is kept of .* There is: acme, beta"):
        departure(there.settings, name)


def test_a_connection_that_is_not_there_is_refused_with_those_that_are(there: House) -> None:
    with pytest.raises(SettingsError, match=r"Nothing is kept of 'gamma' .* There is: acme, beta"):
        departure(there.settings, "gamma")
