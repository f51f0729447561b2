"""The published database under DuckDB's encryption: with the key, without, and after a change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Final

import duckdb
import pytest
from pydantic import SecretStr
from upath import UPath

from openai_costs.outputs.forgetting.byte_scan import scan
from openai_costs.outputs.publish.database import Published, publish
from openai_costs.outputs.publish.focus_export import export_month
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.verification import published_sums
from openai_costs.storage.encryption import DatabaseLocked, attach, is_encrypted
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs_tests.outputs.publish.test_database import NOON, write, write_day

KEY: Final = SecretStr("it's a key of 32 characters: yes")
OTHER: Final = SecretStr("another key of the 32 characters")
MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory: pytest.TempPathFactory) -> UPath:
    home = UPath(tmp_path_factory.mktemp("encrypted") / "home")
    write_day(home, MONDAY, "10.5")
    return home


@pytest.fixture(scope="module")
def encrypted(unpublished: UPath, tmp_path_factory: pytest.TempPathFactory) -> UPath:
    """A home whose publication is encrypted, which nobody changes."""
    home = copied(unpublished, tmp_path_factory.mktemp("published") / "home")
    published(home)
    return home


@pytest.fixture
def home(encrypted: UPath, tmp_path: Path) -> UPath:
    """The same home elsewhere, so that a test may do to it what it likes."""
    return copied(encrypted, tmp_path / "home")


def copied(home: UPath, path: Path) -> UPath:
    return UPath(copytree(str(home), path))


def published(home: UPath, key: SecretStr | None = KEY) -> Published:
    return publish(home, Lake(home), key)


def billed(home: UPath, key: SecretStr = KEY) -> Decimal:
    with duckdb.connect() as sql:  # as any reader does it, without code of ours
        path, secret = str(home / DATABASE), key.get_secret_value()
        sql.execute(f"ATTACH '{path}' AS costs (READ_ONLY, ENCRYPTION_KEY ?)", [secret])
        [(usd,)] = sql.execute("SELECT sum(billed_usd) FROM costs.core.spend").fetchall()
        [(views,)] = sql.execute("SELECT count(*) FROM costs.bi.focus").fetchall()
    assert views
    return Decimal(usd)


def plain_files(home: UPath) -> list[UPath]:
    return [one for one in (home / "published").rglob("*.parquet") if one.is_file()]


def test_it_opens_with_the_key_and_not_without(encrypted: UPath) -> None:
    assert billed(encrypted) == Decimal("10.5")
    file = Path(str(encrypted / DATABASE))
    assert is_encrypted(file)
    assert b"billed_usd" not in file.read_bytes()
    with pytest.raises(duckdb.Error, match="without a key"):
        duckdb.connect(str(file), read_only=True)
    with pytest.raises(duckdb.Error, match="Wrong encryption key"):
        billed(encrypted, OTHER)


def test_no_plain_copy_lies_beside_it_not_those_of_before_either(
    unpublished: UPath, tmp_path: Path
) -> None:
    home = copied(unpublished, tmp_path / "home")
    published(home, None)
    assert plain_files(home)
    assert published(home).is_rebuilt
    assert plain_files(home) == []


def test_it_is_continued_where_only_a_day_came(home: UPath) -> None:
    write_day(home, TUESDAY, "4.25", NOON)
    assert not published(home).is_rebuilt
    assert billed(home) == Decimal("14.75")
    assert published_sums(home, KEY)[1] == []


def test_another_key_or_none_builds_everything_anew(home: UPath) -> None:
    assert published(home, OTHER).is_rebuilt
    assert billed(home, OTHER) == Decimal("10.5")
    assert published(home, None).is_rebuilt
    assert plain_files(home)
    with duckdb.connect(str(home / DATABASE), read_only=True) as sql:
        assert sql.execute("SELECT count(*) FROM core.spend").fetchall() == [(1,)]


@pytest.mark.parametrize("before", [None, KEY])
def test_a_day_in_flight_keeps_its_last_rows(
    unpublished: UPath, home: UPath, tmp_path: Path, before: SecretStr | None
) -> None:
    if before is None:
        home = copied(unpublished, tmp_path / "plain")
        published(home, None)
    write(home, Ledger, MONDAY, "99", NOON)
    assert published(home).in_flight == [("acme", MONDAY)]
    assert billed(home) == Decimal("10.5")


def test_without_the_key_a_reader_gets_a_sentence(encrypted: UPath, tmp_path: Path) -> None:
    [no_key] = published_sums(encrypted)[1]
    assert no_key == "openai_costs.duckdb is encrypted, and the settings name no key"
    [other] = published_sums(encrypted, OTHER)[1]
    assert "the key in the settings is another one" in other
    assert OTHER.get_secret_value() not in other
    with pytest.raises(DatabaseLocked, match=r"\[publish\] encryption_key_env"):
        export_month(encrypted, "2026-11", "csv", tmp_path)
    assert export_month(encrypted, "2026-11", "csv", tmp_path, KEY).billed_usd == Decimal("10.5")


def test_a_search_of_every_byte_needs_the_key(encrypted: UPath) -> None:
    assert DATABASE in scan(encrypted, ["'connection': acme,"], KEY).places
    with pytest.raises(DatabaseLocked):
        scan(encrypted, ["acme"])


def test_the_key_is_in_no_statement_that_duckdb_logs(encrypted: UPath) -> None:
    with duckdb.connect() as sql:
        sql.execute("CALL enable_logging('QueryLog')")
        attach(sql, Path(str(encrypted / DATABASE)), "costs", KEY)
        logged = str(sql.execute("SELECT message FROM duckdb_logs").fetchall())
    assert "ENCRYPTION_KEY" in logged
    assert "32 characters" not in logged
