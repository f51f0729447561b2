"""Whom a home forgets: keyed digests in the record, and the key, which is not kept with the data.

Everything that is kept or decoded passes through here: a page that names a forgotten person again
is kept without the name, and so are the rows that are made of it. Not here: how a text changes
(kernel/pseudonyms.py), where the key is (forget_key.py), what was kept before (rewriting.py).
"""

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec
import polars as pl
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.json_texts import CHOICES
from openai_costs.kernel.known_texts import Known
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.forget_key import (
    FILE,
    MARK,
    ForgetKey,
    key_of,
    mark_of,
    noted_place,
)
from openai_costs.storage.record import FOLDER, Entry, Record

TABLE = "forgotten"
_KEY_OF = ("digest",)
MOST_TRIES = 10

_loaded: dict[str, tuple[list[str], Pseudonyms | None]] = {}
"""What was read last, by home, with the names of the entries that it was read from."""


def pseudonyms_of(home: UPath) -> Pseudonyms | None:
    """Return whom a home forgets; None where that is no one.

    Raises:
        SettingsError: The key is missing, or an entry cannot be read: the promise cannot be kept.
    """
    folder = home / FOLDER / TABLE
    if not folder.is_dir():
        return None
    names = sorted(file.name for file in folder.iterdir())
    if str(home) not in _loaded or _loaded[str(home)][0] != names:
        _loaded[str(home)] = (names, _read(home))
    return _loaded[str(home)][1]


def _read(home: UPath) -> Pseudonyms | None:
    folded = Record(home).folded(TABLE, _KEY_OF)
    if folded.damage:
        one = folded.damage[0]
        raise SettingsError(
            f"{one.file} {one.why}: it names whom this home has to forget. Nothing is read or "
            "written without it. Restore it from a backup of the record."
        )
    rows = list(folded.rows.values())
    if not rows:
        return None
    key = key_of(home, rows)
    return Pseudonyms(key.secret, [msgspec.convert(_fields(row), Known) for row in rows])


def _fields(row: Mapping[str, object]) -> list[object]:
    """Return a row's fields; of one from before persons were noted, its pseudonym names them."""
    name, _, whose = str(row["pseudonym"]).rpartition(" ")
    person = whose if name else str(row["digest"])[:8]
    return [row.get(one, person) if one == "person" else row[one] for one in Known._fields]


def home_key(home: UPath) -> ForgetKey | None:
    """Return the key by which a home forgets people; None where it forgets no one yet.

    Raises:
        SettingsError: It is not there.
    """
    rows = Record(home).folded(TABLE, _KEY_OF).rows
    return key_of(home, rows.values()) if rows else None


def remember(home: UPath, people: Iterable[Known], key: ForgetKey, today: date) -> None:
    """Write down whom to forget from now on; what is known already is not written again.

    Args:
        home: The home.
        people: Whom.
        key: The key of the home.
        today: When that was asked for.

    Raises:
        SettingsError: The place of the key has the name of one of them.
        WriteConflict: Another machine has begun to forget people by a key of its own.
    """
    record, people = Record(home), list(people)
    folded = record.folded(TABLE, _KEY_OF)
    if mark_of(folded.rows.values()) not in (None, key.mark):
        raise WriteConflict(f"{FOLDER}/{TABLE}")
    of_key = {FILE: noted_place(home, key.file, Pseudonyms(key.secret, people)), MARK: key.mark}
    rows = [
        {**one._asdict(), **of_key, "asked_on": str(today)}
        for one in people
        if (one.digest,) not in folded.rows
    ]
    if rows:
        record.append(TABLE, folded.number + 1, Entry(rows))
    _loaded.pop(str(home), None)


def add(home: UPath, new: Iterable[Known], people: Pseudonyms) -> None:
    """Write down new ids and addresses of forgotten people, as if they had been known then.

    Nothing where the place of the key has one of the texts: names are replaced in the record too,
    and a place with a pseudonym would not be found again.

    Args:
        home: The home.
        new: The ids and addresses.
        people: Whom the home forgets, by these too.

    Raises:
        WriteConflict: Other processes wrote down people at every try.
    """
    record, new = Record(home), list(new)
    for tries_left in reversed(range(MOST_TRIES)):
        folded = record.folded(TABLE, _KEY_OF)
        row_of = {_fields(row)[-1]: row for row in folded.rows.values()}
        rows = [
            {**row_of[one.person], **one._asdict()}
            for one in new
            if (one.digest,) not in folded.rows
        ]
        if any(people.text(row[FILE]) != row[FILE] for row in rows):
            return
        try:
            if rows:
                record.append(TABLE, folded.number + 1, Entry(rows))
            break
        except WriteConflict:
            if not tries_left:
                raise
    _loaded.pop(str(home), None)


def without_names(frame: pl.DataFrame, people: Pseudonyms | None) -> pl.DataFrame:
    """Return rows with pseudonyms in every column of text."""
    if people is None:
        return frame
    columns = frame.select(pl.selectors.string()).columns
    beside = _named_in_rows(frame, columns, people)
    changed = []
    for name in columns:
        after: dict[str | None, dict[str, str]]
        after = {None: _renamed(frame[name], people, frozenset())}
        after |= {who: _renamed(frame[name], people, frozenset([who])) for who in beside}
        expression = pl.col(name)
        if after[None]:
            expression = expression.replace(after[None])
        for who, where in beside.items():
            if after[who] != after[None]:
                own = pl.col(name).replace(after[who])
                expression = pl.when(where).then(own).otherwise(expression)
        changed.append(expression.alias(name))
    return frame.with_columns(changed)


def _renamed(column: pl.Series, people: Pseudonyms, beside: frozenset[str]) -> dict[str, str]:
    changed_by = people.identifier if column.name.endswith("id") else people.text
    if column.name in CHOICES:
        beside = frozenset()
    texts = column.drop_nulls().unique().to_list()
    return {one: new for one in texts if (new := changed_by(one, beside)) != one}


def _named_in_rows(
    frame: pl.DataFrame, columns: list[str], people: Pseudonyms
) -> dict[str, pl.Expr]:
    """Return which rows name each person who shares a name, by an id or an address."""
    where: dict[str, list[pl.Expr]] = {}
    for name in columns if people.share_names else ():
        texts: dict[str, list[str]] = {}
        for one in frame[name].drop_nulls().unique():
            for who in people.named([one]):
                texts.setdefault(who, []).append(one)
        for who, some in texts.items():
            where.setdefault(who, []).append(pl.col(name).is_in(some))
    return {who: pl.any_horizontal(some).fill_null(value=False) for who, some in where.items()}
