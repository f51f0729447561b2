"""The mutes of the command line, kept in `mutes.json` below the home."""

from contextlib import nullcontext
from datetime import date
from pathlib import Path

import polars as pl
from filelock import FileLock
from pydantic import TypeAdapter, ValidationError
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Alerts, Mute
from openai_costs.settings.error_texts import objection
from openai_costs.storage.files import is_local, replace_file

FILE = "mutes.json"
_MUTES = TypeAdapter(tuple[Mute, ...])


def with_mutes(alerts: Alerts, home: UPath) -> Alerts:
    """Return the settings of alerts, with the mutes of the home before those of the file."""
    return alerts.model_copy(update={"mutes": (*kept_mutes(home), *alerts.mutes)})


def kept_mutes(home: UPath) -> tuple[Mute, ...]:
    """Return the mutes made at the command line.

    Raises:
        SettingsError: The file cannot be read.
    """
    file = home / FILE
    if not file.exists():
        return ()
    try:
        return _MUTES.validate_json(file.read_bytes())
    except ValidationError as broken:
        found = objection(broken, Mute)
        what = " ".join(filter(None, (one for one in found.where if isinstance(one, str))))
        raise SettingsError(
            f"{file} cannot be read: {what or 'a mute'} {found.text}. Correct or delete the file."
        ) from None


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


def keep_mute(home: UPath, mute: Mute, today: date) -> None:
    """Keep a mute, instead of an older one of the same finding; remove expired ones."""
    with _alone(home):
        others = (
            one for one in kept_mutes(home) if one.until >= today and one.finding != mute.finding
        )
        content = _MUTES.dump_json((mute, *others), indent=2, exclude_defaults=True)
        replace_file(home / FILE, content)


def _alone(home: UPath) -> FileLock | nullcontext[None]:
    if not is_local(home):
        return nullcontext()
    Path(str(home)).mkdir(parents=True, exist_ok=True)
    return FileLock(str(home / f".{FILE}.lock"))
