"""Whom a home forgets: keyed digests in the record, and the key, which is not kept with the data.

Everything that is kept or decoded passes through here: a page that names a forgotten person again
is kept without the name, and so are the rows that are made of it. Not here: how a text changes
(kernel/pseudonyms.py), what was kept before (rewriting.py).
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import msgspec
import polars as pl
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.json_texts import CHOICES
from openai_costs.kernel.pseudonyms import Known, Pseudonyms
from openai_costs.storage.files import is_local
from openai_costs.storage.record import FOLDER, Entry, Record

TABLE = "forgotten"
_KEY_OF = ("digest",)
KEY_BYTES = 32

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
    key = key_of(home, key_files(home))
    return Pseudonyms(key, [msgspec.convert(_fields(row), Known) for row in rows])


def _fields(row: Mapping[str, object]) -> list[object]:
    """Return a row's fields; of one from before persons were noted, its pseudonym names them."""
    name, _, whose = str(row["pseudonym"]).rpartition(" ")
    person = whose if name else str(row["digest"])[:8]
    return [row.get(one, person) if one == "person" else row[one] for one in Known._fields]


def remember(home: UPath, people: Iterable[Known], key_file: str, today: date) -> None:
    """Write down whom to forget from now on; what is known already is not written again.

    Args:
        home: The home.
        people: Whom.
        key_file: Where the key is, as `noted_place` has it.
        today: When that was asked for.
    """
    record = Record(home)
    folded = record.folded(TABLE, _KEY_OF)
    rows = [
        {**one._asdict(), "key_file": key_file, "asked_on": str(today)}
        for one in people
        if (one.digest,) not in folded.rows
    ]
    if rows:
        record.append(TABLE, folded.number + 1, Entry(rows))
    _loaded.pop(str(home), None)


def key_files(home: UPath) -> list[str]:
    """Return where the key of a home is, as it was written down; none where there is no key yet."""
    rows = Record(home).folded(TABLE, _KEY_OF).rows.values()
    noted = dict.fromkeys(str(row["key_file"]) for row in rows)
    return [os.path.normpath(Path(str(home)).absolute() / one) for one in noted]


def noted_place(home: UPath, file: Path, people: Pseudonyms) -> str:
    """Return how the place of the key is written down: without the name of who is forgotten.

    Names are replaced in the record too, and a place with a pseudonym would not be found again.

    Raises:
        SettingsError: It names one of them, from the home too.
    """
    whole = str(file.absolute())
    below = os.path.relpath(whole, Path(str(home)).absolute()) if is_local(home) else whole
    for one in (whole, below):
        if people.text(one) == one:
            return one
    raise SettingsError(
        f"The key that forgets people is in {file}, and a folder there has the name of the one to "
        "forget. Nothing was changed. Move the settings and the key to another folder first."
    )


def key_of(home: UPath, files: Iterable[str]) -> bytes:
    """Return the key of a home from the first of some files that is there.

    Raises:
        SettingsError: None of them is.
    """
    named = list(dict.fromkeys(files))
    for file in map(Path, named):
        try:
            return bytes.fromhex(file.read_text(encoding="ascii"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as fault:
            raise SettingsError(f"The key in {file} cannot be read: {fault}") from None
    raise SettingsError(
        f"{home} forgets people by a key that is not there: {' or '.join(named)}. Without it they "
        "would come back, so nothing is read or written. Put the file back; it moves with the "
        "settings, and is not in a backup of the home."
    )


def made_key(file: Path) -> bytes:
    """Return the key in a file, which is made for its owner alone where it is not there yet."""
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return key_of(UPath(file.parent), [str(file)])
    with os.fdopen(made, "w", encoding="ascii") as opened:
        opened.write(secrets.token_bytes(KEY_BYTES).hex())
        opened.flush()
        os.fsync(opened.fileno())
    return key_of(UPath(file.parent), [str(file)])


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
