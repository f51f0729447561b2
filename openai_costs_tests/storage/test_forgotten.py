"""Whom a home forgets, as its record says."""

from datetime import date
from pathlib import Path

from upath import UPath

from openai_costs.kernel.known_texts import known
from openai_costs.storage.forget_key import made_key
from openai_costs.storage.forgotten import TABLE, pseudonyms_of, remember
from openai_costs.storage.record import Entry, Record

TODAY = date(2026, 11, 28)


def test_a_record_from_before_persons_were_noted_forgets_the_same_people(tmp_path: Path):
    key = made_key(tmp_path / "key")
    people = [
        known(key.secret, "id", "user-ines", "user-ines"),
        known(key.secret, "name", "Ines Falk", "user-ines"),
    ]
    new, old = UPath(tmp_path / "new"), UPath(tmp_path / "old")
    remember(new, people, key, TODAY)
    rows = [{**one._asdict(), "key_file": str(tmp_path / "key")} for one in people]
    for row in rows:
        del row["person"]
    Record(old).append(TABLE, 1, Entry(rows))
    now, before = pseudonyms_of(new), pseudonyms_of(old)
    assert now is not None
    assert before is not None
    text = "Ines Falk, user-ines"
    assert before.text(text) == now.text(text) != text
