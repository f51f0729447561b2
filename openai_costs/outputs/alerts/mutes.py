"""The mutes of the command line, kept in the record: each an entry, the newest of a finding counts.

Version 0.1 kept them in `mutes.json` below the home: they move into the record at their first use.
"""

import json

import polars as pl
from pydantic import TypeAdapter, ValidationError
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Alerts, Mute
from openai_costs.settings.error_texts import objection
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.lake import Lake
from openai_costs.storage.record import Entry, Folded, Record
from openai_costs.tables.mart.findings import Findings

FILE = "mutes.json"
TABLE = "mutes"
_KEY = ("finding", "rule", "connection", "subject")
_MUTES = TypeAdapter(tuple[Mute, ...])
ATTEMPTS = 10
"""How often a mute is kept anew, where another process kept one at the same moment."""


def with_mutes(alerts: Alerts, home: UPath) -> Alerts:
    """Return the settings of alerts, with the mutes of the home before those of the file."""
    return alerts.model_copy(update={"mutes": (*kept_mutes(home), *alerts.mutes)})


def kept_mutes(home: UPath) -> tuple[Mute, ...]:
    """Return the mutes made at the command line, the newest first; some may have expired.

    What a damaged entry held is taken from the findings that are under it.

    Raises:
        SettingsError: The file of version 0.1 cannot be read.
    """
    not_moved = _move_old_mutes(home)
    folded = Record(home).folded(TABLE, _KEY)
    kept = (*reversed(_mutes(folded)), *not_moved)
    if not folded.damage:
        return kept
    in_force = mutes_in_force(Lake(home).read(Findings))
    named = {one.finding for one in kept}
    return (*kept, *(one for one in in_force if one.finding not in named))


def mutes_in_force(findings: pl.DataFrame) -> tuple[Mute, ...]:
    """Return the mutes that findings are under, as far as they name one finding each.

    Args:
        findings: mart.findings.
    """
    columns = ("finding_id", "mute_reason", "muted_until", "muted_by")
    muted = findings.filter(state="muted").drop_nulls(columns).select(columns)
    return tuple(
        Mute(finding=name, reason=reason, until=until, by=by)
        for name, reason, until, by in muted.iter_rows()
    )


def keep_mute(home: UPath, mute: Mute) -> None:
    """Keep a mute, in the place of an older one of the same finding."""
    _move_old_mutes(home)
    _append(home, (mute,))


def damaged_mutes(home: UPath) -> list[str]:
    """Return which entries of the record cannot be used, in sentences without a full stop."""
    return [f"{one.file} {one.why}" for one in Record(home).folded(TABLE, _KEY).damage]


def restore_mutes(home: UPath) -> list[str]:
    """Replace damaged entries by what the findings know of them; return what was wrong."""
    record = Record(home)
    damaged = record.folded(TABLE, _KEY).damage
    known = [_as_row(one) for one in reversed(kept_mutes(home))] if damaged else []
    for damage in damaged:
        record.restore(TABLE, damage, Entry(known))
        known = []
    return [f"{one.file} {one.why}" for one in damaged]


def _append(home: UPath, mutes: tuple[Mute, ...]) -> None:
    record = Record(home)
    for left in reversed(range(ATTEMPTS)):
        number = record.folded(TABLE, _KEY).number
        try:
            record.append(TABLE, number + 1, Entry([_as_row(one) for one in mutes]))
        except WriteConflict:
            if not left:
                raise
        else:
            return


def _move_old_mutes(home: UPath) -> tuple[Mute, ...]:
    """Move the mutes of version 0.1 into the record, and return those that could not be moved.

    Killed half way and called again, it goes on. A home that is only read works without it.
    """
    file = home / FILE
    if not file.exists():
        return ()
    there = _mutes(Record(home).folded(TABLE, _KEY))
    missing = tuple(one for one in _old_mutes(file) if one not in there)
    try:
        if missing:
            _append(home, missing[::-1])
        file.unlink(missing_ok=True)
    except PermissionError:
        return missing
    return ()


def _old_mutes(file: UPath) -> tuple[Mute, ...]:
    try:
        return _MUTES.validate_json(file.read_bytes())
    except ValidationError as broken:
        found = objection(broken, Mute)
        what = " ".join(filter(None, (one for one in found.where if isinstance(one, str))))
        raise SettingsError(
            f"{file} cannot be read: {what or 'a mute'} {found.text}. Correct or delete the file."
        ) from None


def _mutes(folded: Folded) -> tuple[Mute, ...]:
    """Return the mutes of entries, the oldest first."""
    newest = sorted(folded.rows, key=folded.numbers.__getitem__)
    return tuple(Mute.model_validate_json(json.dumps(folded.rows[key])) for key in newest)


def _as_row(mute: Mute) -> dict[str, object]:
    return mute.model_dump(mode="json")
