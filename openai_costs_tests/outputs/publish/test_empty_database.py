"""The database before it has rows: made in memory once in a process, and copied to its file."""

import os

import duckdb
import pytest

from openai_costs.outputs.publish import empty_database as made


class FullDisk:
    """A connection whose disk is full while it copies."""

    def __init__(self, sql: duckdb.DuckDBPyConnection) -> None:
        self._sql = sql

    def execute(self, statement: str) -> object:
        if statement.startswith("COPY"):
            raise duckdb.IOException("No space left on device")
        return self._sql.execute(statement)


def test_after_a_full_disk_it_can_be_made_in_the_same_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = made.empty_database()
    made.empty_database.cache_clear()
    in_memory = made._with_comments(os.getpid())  # noqa: SLF001 - where it is made
    with monkeypatch.context() as full:
        full.setattr(made, "_with_comments", lambda _process: FullDisk(in_memory))
        with pytest.raises(duckdb.IOException, match="No space left"):
            made.empty_database()
    assert len(made.empty_database()) == len(before)
