"""One incident, one row: what several series see is reported once, by the clearest. Pure.

Which series reports an incident, and as what kind, is decided by its first day alone, so that an
incident that goes on stays the same one.
"""

from datetime import timedelta

import polars as pl

from openai_costs.questions.anomalies.episodes import Episode, episodes
from openai_costs.questions.anomalies.kinds import LASTING, MAY_RECUR
from openai_costs.questions.anomalies.kinds.kind import LASTING_GAP_DAYS
from openai_costs.questions.anomalies.monthly_recurrence import recurred_next_month
from openai_costs.questions.series import ID, PRINCIPALS

NEAR_DAYS = 2

ALIKE = 0.5

LASTING_SHARE = 0.25
"""A slow rise of a sum belongs to a principal that makes a quarter of it."""

CLEAREST = ("user", "key", "usage_type", "model", "project", "org", "provider")
"""Levels, from the one that names who spends to the most general."""

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

MEMBERS: dict[str, type[pl.DataType]] = {
    "incident_id": pl.String,
    ID: pl.String,
    "day": pl.Date,
    "direction": pl.String,
}

Kin = set[tuple[str, str]] | None

Incident = list[Episode]
"""The episode that reports it, then those of the other series that saw it."""


def incident_days(verdicts: pl.DataFrame, hierarchy: pl.DataFrame) -> pl.DataFrame:
    """Return the flagged days with incident_id, is_reported, incident_kind and since_day.

    An incident that recurs a month later is reported by none: it is a monthly job.

    Args:
        verdicts: What `detect_in_groups` returns; cost as Decimal.
        hierarchy: child, parent, both series_id.
    """
    flags = verdicts.filter(pl.col("is_anomaly") & (pl.col("cost") != pl.col("expected")))
    found = incidents(flags, hierarchy).select(
        "incident_id", since_day="start", incident_kind="kind", reported_by=ID
    )
    days = flags.join(members(flags, hierarchy), on=[ID, "day", "direction"], how="inner")
    days = days.join(found, on="incident_id", how="left")
    is_first = pl.col("reported_by") == pl.col(ID)
    may_recur = is_first & pl.col("incident_kind").is_in(MAY_RECUR)
    recurs = recurred_next_month(days.filter(may_recur), verdicts)
    return days.with_columns(is_reported=is_first & ~pl.col("incident_id").is_in(recurs))


def incidents(verdicts: pl.DataFrame, hierarchy: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return one row per incident, by start.

    The episode that came first, at the clearest level, reports the incident. An episode of another
    level is part of it when it has the same direction, begins at most two days after the other's
    end and, on the first day they share (else on average), differs from it by a factor of two at
    most; or when the incidents of its children together come to half of it (of a slow rise, a
    quarter). A principal that comes more than two days after a sum (two weeks, if both last), or
    after another principal, is an incident of its own. A single day of a slow rise that only a
    sum saw is not an incident.

    Args:
        verdicts: What `detect_in_groups` returns.
        hierarchy: child, parent, both series_id: if known, only these are compared.

    Returns:
        incident_id (direction, series and first day), series_id, level, kind, direction, start,
        end, score, excess and also_at, the other series that saw it.
    """
    rows = [_row(incident) for incident in _grouped(verdicts, hierarchy)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row").sort("start", ID)


def members(verdicts: pl.DataFrame, hierarchy: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the incident of every flagged day: incident_id, series_id, day, direction."""
    rows = [
        (_name(incident), episode.series_id, day, episode.direction)
        for incident in _grouped(verdicts, hierarchy)
        for episode in incident
        for day in episode.excess
    ]
    return pl.DataFrame(rows, schema=MEMBERS, orient="row").sort("incident_id", ID, "day")


def _grouped(verdicts: pl.DataFrame, hierarchy: pl.DataFrame | None) -> list[Incident]:
    kin = None if hierarchy is None else _kin(verdicts, hierarchy)
    all_incidents: list[Incident] = []
    still_open: list[Incident] = []
    for episode in sorted(episodes(verdicts), key=_rank):
        since = episode.start - timedelta(days=NEAR_DAYS)
        still_open = [one for one in still_open if one[0].end >= since]
        if (incident := _same(still_open, episode, kin)) is None:
            incident = []
            all_incidents.append(incident)
            still_open.append(incident)
        incident.append(episode)
    return [one for one in all_incidents if not _is_passing(one[0])]


def _kin(verdicts: pl.DataFrame, hierarchy: pl.DataFrame) -> set[tuple[str, str]]:
    """Return the pairs of the hierarchy that are both flagged: few of all."""
    pairs, flagged = hierarchy.select("child", "parent"), verdicts.select(ID)
    for name in pairs.columns:
        pairs = pairs.join(flagged, left_on=name, right_on=ID, how="semi")
    return set(pairs.iter_rows())


def _is_passing(episode: Episode) -> bool:
    """A slow rise of a sum that no principal makes is reported from its second day on."""
    return episode.level not in PRINCIPALS and episode.kind in LASTING and len(episode.excess) == 1


def _rank(episode: Episode) -> tuple[object, ...]:
    """By first day, then the clearest level, then the largest."""
    return (
        episode.start,
        _place(episode.level),
        -abs(episode.excess[episode.start]),
        episode.series_id,
    )


def _same(known: list[Incident], episode: Episode, kin: Kin) -> Incident | None:
    """Return the incident that a episode is part of: the one nearest to it in dollars, or none."""
    related = [one for one in known if _are_related(one, episode, kin)]
    by_likeness = [(_likeness(one[0], episode), at) for at, one in enumerate(related)]
    best, at = max(by_likeness, default=(0.0, 0))
    if best >= ALIKE:
        return related[at]
    of_children = [(_day_of(one[0], episode), at) for at, one in enumerate(related)]
    of_children = [(usd, at) for usd, at in of_children if related[at][0].level in PRINCIPALS]
    if episode.level in PRINCIPALS or not of_children:
        return None
    enough = LASTING_SHARE if episode.kind in LASTING else ALIKE
    if sum(usd for usd, _ in of_children) < enough * abs(episode.excess[episode.start]):
        return None
    return related[max(of_children)[1]]


def _are_related(incident: Incident, later: Episode, kin: Kin) -> bool:
    first = incident[0]
    if first.direction != later.direction or first.level == later.level:
        return False
    if not _are_kin(first, later, kin):
        return False
    if later.level not in PRINCIPALS or first.level in PRINCIPALS:
        return True
    both_last = later.kind in LASTING and first.kind in LASTING
    allowed = LASTING_GAP_DAYS if both_last else NEAR_DAYS
    others = [one for one in incident[1:] if one.level in PRINCIPALS]
    is_soon = later.start <= first.start + timedelta(days=allowed)
    return is_soon and all(_are_kin(one, later, kin) for one in others)


def _are_kin(one: Episode, other: Episode, kin: Kin) -> bool:
    pair = (one.series_id, other.series_id)
    return kin is None or pair in kin or pair[::-1] in kin


def _likeness(first: Episode, later: Episode) -> float:
    """The smaller of two excesses as a share of the larger: 1 where they are the same dollars."""
    mine, theirs = _day_of(first, later), abs(later.excess[later.start])
    return min(mine, theirs) / max(mine, theirs) if max(mine, theirs) > 0 else 0.0


def _day_of(first: Episode, later: Episode) -> float:
    """The excess of the first when the later began: of that day, else the average so far."""
    known = [usd for day, usd in first.excess.items() if day <= later.start]
    return abs(first.excess.get(later.start, sum(known) / len(known)))


def _row(incident: Incident) -> tuple[object, ...]:
    first, *others = incident
    also = sorted({episode.series_id for episode in others} - {first.series_id})
    return (
        _name(incident),
        *(first.series_id, first.level, first.kind, first.direction, first.start, first.end),
        *(max(episode.score for episode in incident), first.total, also),
    )


def _name(incident: Incident) -> str:
    first = incident[0]
    return f"{first.direction}/{first.series_id}/{first.start}"


def _place(level: str) -> int:
    return CLEAREST.index(level) if level in CLEAREST else CLEAREST.index("project")
