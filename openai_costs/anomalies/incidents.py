"""One incident, one row: what several levels see is told once, where it is clearest. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from openai_costs.anomalies.series import ID, level_of

GAP_DAYS = 3
"""Flags of a series at most this far apart are one alert."""
NEAR_DAYS = 2
ALIKE = 0.5
MOST_OF_IT = 0.6
CLEAREST = ("user", "key", "usage_type", "model", "project", "provider", "org")
"""Levels, the one that names somebody first."""
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "incident_id": pl.String,
    ID: pl.String,
    "level": pl.String,
    "kind": pl.String,
    "direction": pl.String,
    "start": pl.Date,
    "end": pl.Date,
    "score": pl.Float64,
    "excess": pl.Float64,
    "also_at": pl.List(pl.String),
}


class Alert(NamedTuple):
    """Flags of one series, in one direction, close together."""

    series_id: str
    level: str
    direction: str
    start: date
    end: date
    kind: str
    score: float
    by_day: dict[date, float]

    @property
    def excess(self) -> float:
        """Dollars above the expected on flagged days; below, where it fell."""
        return sum(self.by_day.values())


def incidents(verdicts: pl.DataFrame, belongs: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return one row per incident, by start.

    Alerts of different levels are one incident when they go the same way, lie at most two days
    apart and, on the days they share (else altogether), their excess differs by a factor of two at
    most. It is told at the clearest level that has six tenths of the largest excess.

    Args:
        verdicts: What `detect` returns.
        belongs: child, parent, both series_id: if known, only these are compared.

    Returns:
        incident_id (direction, series and first day), series_id, level, kind, direction, start,
        end, score, excess and also_at, the other series that saw it.
    """
    alerts = sorted(_alerts(verdicts), key=lambda alert: (alert.start, alert.series_id))
    kin = None if belongs is None else set(belongs.select("child", "parent").iter_rows())
    rows = [_told(group) for group in _grouped(alerts, kin)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row").sort("start", ID)


def _alerts(verdicts: pl.DataFrame) -> Iterator[Alert]:
    flags = verdicts.filter("is_anomaly").sort(ID, "direction", "day")
    gap = (pl.col("day") - pl.col("day").shift(1)).dt.total_days().over(ID, "direction")
    apart = (gap.fill_null(GAP_DAYS + 1) > GAP_DAYS).cum_sum().over(ID, "direction")
    flags = flags.with_columns(
        level=level_of(pl.col(ID)), excess=pl.col("cost") - pl.col("expected"), apart=apart
    )
    at = [ID, "level", "direction", "apart"]
    strongest = pl.col("score").abs()
    told = flags.group_by(at, maintain_order=True).agg(
        "day", "excess", kind=pl.col("kind").sort_by(strongest).last(), score=strongest.max()
    )
    for row in told.iter_rows(named=True):
        days = dict(zip(row["day"], row["excess"], strict=True))
        ends = (min(days), max(days))
        yield Alert(row[ID], row["level"], row["direction"], *ends, row["kind"], row["score"], days)


def _grouped(alerts: list[Alert], kin: set[tuple[str, str]] | None) -> list[list[Alert]]:
    """Alerts that are one incident; they come by start, so those that ended long ago are past."""
    leader = list(range(len(alerts)))
    open_still: list[int] = []
    for later, alert in enumerate(alerts):
        since = alert.start - timedelta(days=NEAR_DAYS)
        open_still = [earlier for earlier in open_still if alerts[earlier].end >= since]
        for earlier in open_still:
            if _are_one(alerts[earlier], alert, kin):
                _join(leader, earlier, later)
        open_still.append(later)
    groups: dict[int, list[Alert]] = {}
    for position, alert in enumerate(alerts):
        groups.setdefault(_leader(leader, position), []).append(alert)
    return list(groups.values())


def _leader(leader: list[int], position: int) -> int:
    while leader[position] != position:
        position = leader[position]
    return position


def _join(leader: list[int], one: int, other: int) -> None:
    first, second = sorted((_leader(leader, one), _leader(leader, other)))
    leader[second] = first


def _are_one(one: Alert, other: Alert, kin: set[tuple[str, str]] | None) -> bool:
    if one.direction != other.direction or one.level == other.level:
        return False
    pair = (one.series_id, other.series_id)
    if kin is not None and pair not in kin and pair[::-1] not in kin:
        return False
    return _is_alike(one, other)


def _is_alike(one: Alert, other: Alert) -> bool:
    shared = one.by_day.keys() & other.by_day.keys()
    if shared:
        mine, theirs = (sum(abs(alert.by_day[day]) for day in shared) for alert in (one, other))
    else:
        mine, theirs = (abs(alert.excess) / len(alert.by_day) for alert in (one, other))
    return min(mine, theirs) >= ALIKE * max(mine, theirs)


def _told(group: list[Alert]) -> tuple[object, ...]:
    largest = max(abs(alert.excess) for alert in group)
    able = [alert for alert in group if abs(alert.excess) >= MOST_OF_IT * largest]
    clearest = min(able, key=lambda alert: (_place(alert.level), -alert.score, alert.series_id))
    start = min(alert.start for alert in group)
    others = sorted({alert.series_id for alert in group} - {clearest.series_id})
    return (
        f"{clearest.direction}/{clearest.series_id}/{start}",
        *(clearest.series_id, clearest.level, clearest.kind, clearest.direction, start),
        *(max(alert.end for alert in group), clearest.score, clearest.excess, others),
    )


def _place(level: str) -> int:
    return CLEAREST.index(level) if level in CLEAREST else CLEAREST.index("project")
