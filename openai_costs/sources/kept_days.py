"""Which days may still be asked for: not those that were deleted because they were too old.

Not here: deleting them (storage/deletion.py, outputs/retention).
"""

from collections.abc import Callable, Mapping
from datetime import date

from openai_costs.kernel.days import ONE_DAY, DayRange, month_of
from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.load import Settings
from openai_costs.settings.retention import Months, first_kept_day
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deleted_months import DeletedMonths


def with_kept_days(settings: Settings, lake: Lake, today: date) -> Settings:
    """Return the same settings, whose connections and gateway begin with the first kept day."""
    gateway, kept = settings.gateway, first_not_deleted(settings, lake, today)
    start = latest(gateway.start, kept(gateway.name))
    update = {
        "connections": tuple(one.kept_from(kept(one.name)) for one in settings.connections),
        "gateway": gateway.model_copy(update={"start": start}),
    }
    return settings.model_copy(update=update)


def first_not_deleted(settings: Settings, lake: Lake, today: date) -> Callable[[str], date | None]:
    """Return a function to the first kept day of a connection or gateway, whatever its `start`."""
    deleted = days_after_deleted(lake)
    return lambda name: latest(first_kept(settings, name, today), deleted.get(name))


def refuse_deleted_days(settings: Settings, lake: Lake, asked: DayRange, today: date) -> None:
    """Refuse a range that begins before the first day that is kept of any connection.

    Raises:
        SettingsError: It does.
    """
    kept = with_kept_days(settings, lake, today)
    first = min(one.first_day for one in kept.asked_connections)
    if settings.first_day <= asked.first < first:
        raise SettingsError(
            f"{asked} begins before {first}: older days are deleted, and not read again "
            f"([retention] in {settings.config_file}). Begin with --from {first}."
        )


def first_kept(settings: Settings, name: str, today: date) -> date | None:
    """Return the first day that is kept of a connection or gateway; None keeps all."""
    months = months_kept(settings, name)
    return None if months is None else first_kept_day(months, today)


def months_kept(settings: Settings, name: str) -> Months | None:
    """Return how long days of a connection or gateway are kept; None: the settings do not say."""
    own = (one.retention_months for one in settings.connections if one.name == name)
    return next(own, None) or settings.retention.months


def days_after_deleted(lake: Lake) -> Mapping[str, date]:
    """Return the first day after the months that were deleted, by connection or gateway."""
    newest = lake.read(DeletedMonths).group_by("connection").agg(month="month").iter_rows()
    return {name: month_of(max(months)).last + ONE_DAY for name, months in newest}


def latest(*days: date | None) -> date | None:
    """Return the latest of some days; None where there is none."""
    return max((day for day in days if day is not None), default=None)
