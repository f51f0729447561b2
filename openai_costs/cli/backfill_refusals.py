"""What a backfill refuses before it writes: no key, and days that no connection has."""

from datetime import datetime

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.load import Settings
from openai_costs.sources.kept_days import refuse_deleted_days
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake


def refuse_without_key(settings: Settings) -> None:
    """Raise SettingsError where no connection has a key that can be used: nothing can be read."""
    missing: list[SettingsError] = []
    for connection in settings.asked_connections:
        try:
            settings.admin_key(connection)
        except SettingsError as none:
            missing.append(none)
    if missing and len(missing) == len(settings.asked_connections):
        raise missing[0]


def refuse_foreign_days(settings: Settings, asked: DayRange | None, now: datetime) -> None:
    """Raise SettingsError where today, or a range, is outside the connections' days.

    What is read by a clock that is so wrong would be dated by it.
    """
    today = now.date()
    if today < settings.first_day:
        raise SettingsError(
            f"Nothing was read: by this machine's clock it is {now:%Y-%m-%d %H:%M} UTC, before the "
            f"first day of every connection ({settings.first_day}). Set the clock right, or "
            f"correct `start` in {settings.config_file}."
        )
    if asked is None:
        return
    for one in (asked.first, asked.last):
        if not settings.first_day <= one <= today:
            raise SettingsError(
                f"{one} is outside the available days: {settings.first_day} (the earliest `start` "
                f"in {settings.config_file}) to {today}, today in UTC."
            )
    if asked.last < asked.first:
        raise SettingsError(f"--from {asked.first} is after --to {asked.last}. Swap them.")
    refuse_deleted_days(settings, Lake(place(settings.home)), asked, today)
