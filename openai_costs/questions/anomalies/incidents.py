"""One incident, one row: what is seen at several levels is told once, where it is clearest. Pure.

Who is told, and as what, is decided by the first day alone, so that an incident that goes on stays
the same one.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from openai_costs.questions.series import ID, WHO, level_of

# Flagged days of one series that are one story: a spell. Pure.

GAP_DAYS = 3
"""Flags of a series at most this far apart are one spell: over a weekend, for one."""

LASTING_GAP_DAYS = 14
"""What lasts is not above its threshold every day: the same rise goes on after a silence."""

LASTING = ("level_shift", "leak")

AWAKE_ALONE = 6.0
"""From this score the amount is more unusual than that somebody is awake."""


class Spell(NamedTuple):
    """Flags of one series, in one direction, close together."""

    series_id: str
    level: str
    direction: str
    kind: str
    score: float
    excess: dict[date, float]

    @property
    def start(self) -> date:
        """The first flagged day."""
        return min(self.excess)

    @property
    def end(self) -> date:
        """The newest flagged day."""
        return max(self.excess)

    @property
    def total(self) -> float:
        """Dollars above the expected on flagged days; below, where it fell."""
        return sum(self.excess.values())


def spells(verdicts: pl.DataFrame) -> Iterator[Spell]:
    """Yield the spells of all series. A spell is of the kind that its first day was.

    Args:
        verdicts: What `detect` returns.
    """
    flags = verdicts.filter("is_anomaly").sort(ID, "direction", "day")
    gap = (pl.col("day") - pl.col("day").shift(1)).dt.total_days().over(ID, "direction")
    patience = pl.when(pl.col("kind").is_in(LASTING)).then(LASTING_GAP_DAYS).otherwise(GAP_DAYS)
    begins = gap.is_null() | (gap > patience)
    flags = flags.with_columns(
        level=level_of(pl.col(ID)),
        kind=_kind(),
        excess=(pl.col("cost") - pl.col("expected")).cast(pl.Float64),
        spell=begins.cum_sum().over(ID, "direction"),
    )
    told = flags.group_by(ID, "level", "direction", "spell", maintain_order=True).agg(
        "day", "excess", pl.col("kind").first(), score=pl.col("score").abs().max()
    )
    for row in told.iter_rows(named=True):
        days = dict(zip(row["day"], row["excess"], strict=True))
        yield Spell(row[ID], row["level"], row["direction"], row["kind"], row["score"], days)


def _kind() -> pl.Expr:
    is_amount = (pl.col("kind") == "awake") & (pl.col("score") > AWAKE_ALONE)
    return pl.when(is_amount).then(pl.lit("spike")).otherwise("kind")


NEAR_DAYS = 2

ALIKE = 0.5

LASTING_SHARE = 0.25
"""A slow rise of a sum is that of somebody who makes a quarter of it: both have an old base."""

CLEAREST = ("user", "key", "usage_type", "model", "project", "org", "provider")
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

MEMBERS: dict[str, type[pl.DataType]] = {
    "incident_id": pl.String,
    ID: pl.String,
    "day": pl.Date,
    "direction": pl.String,
}

Kin = set[tuple[str, str]] | None

Incident = list[Spell]
"""The spell it is told by, then the others that saw it."""


def incidents(verdicts: pl.DataFrame, belongs: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return one row per incident, by start.

    The spell that came first, at the clearest level, tells the incident. Another level's is the
    same one when it goes the same way, begins at most two days after the other's end and, on the
    first day they share (else on average), differs from it by a factor of two at most; or when
    the incidents of its children together come to half of it (of a slow rise, a quarter). Somebody
    who comes more than two days after a sum (two weeks, if both last), or after somebody else, is
    an incident of his own. A single day of a slow rise that only a sum saw is none.

    Args:
        verdicts: What `detect` returns.
        belongs: child, parent, both series_id: if known, only these are compared.

    Returns:
        incident_id (direction, series and first day), series_id, level, kind, direction, start,
        end, score, excess and also_at, the other series that saw it.
    """
    rows = [_told(incident) for incident in _grouped(verdicts, belongs)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row").sort("start", ID)


def members(verdicts: pl.DataFrame, belongs: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the incident of every flagged day: incident_id, series_id, day, direction."""
    rows = [
        (_name(incident), spell.series_id, day, spell.direction)
        for incident in _grouped(verdicts, belongs)
        for spell in incident
        for day in spell.excess
    ]
    return pl.DataFrame(rows, schema=MEMBERS, orient="row").sort("incident_id", ID, "day")


def _grouped(verdicts: pl.DataFrame, belongs: pl.DataFrame | None) -> list[Incident]:
    kin = None if belongs is None else set(belongs.select("child", "parent").iter_rows())
    found: list[Incident] = []
    open_still: list[Incident] = []
    for spell in sorted(spells(verdicts), key=_rank):
        since = spell.start - timedelta(days=NEAR_DAYS)
        open_still = [one for one in open_still if one[0].end >= since]
        if (incident := _same(open_still, spell, kin)) is None:
            incident = []
            found.append(incident)
            open_still.append(incident)
        incident.append(spell)
    return [one for one in found if not _is_passing(one[0])]


def _is_passing(spell: Spell) -> bool:
    """A slow rise of a sum that nobody in particular makes is told from its second day on."""
    return spell.level not in WHO and spell.kind in LASTING and len(spell.excess) == 1


def _rank(spell: Spell) -> tuple[object, ...]:
    """By first day, then the clearest level, then the largest."""
    return (spell.start, _place(spell.level), -abs(spell.excess[spell.start]), spell.series_id)


def _same(known: list[Incident], spell: Spell, kin: Kin) -> Incident | None:
    """Return the incident that a spell is part of: the one nearest to it in dollars, or none."""
    related = [one for one in known if _are_related(one, spell, kin)]
    by_likeness = [(_likeness(one[0], spell), at) for at, one in enumerate(related)]
    best, at = max(by_likeness, default=(0.0, 0))
    if best >= ALIKE:
        return related[at]
    of_children = [(_day_of(one[0], spell), at) for at, one in enumerate(related)]
    of_children = [(usd, at) for usd, at in of_children if related[at][0].level in WHO]
    if spell.level in WHO or not of_children:
        return None
    enough = LASTING_SHARE if spell.kind in LASTING else ALIKE
    if sum(usd for usd, _ in of_children) < enough * abs(spell.excess[spell.start]):
        return None
    return related[max(of_children)[1]]


def _are_related(incident: Incident, later: Spell, kin: Kin) -> bool:
    first = incident[0]
    if first.direction != later.direction or first.level == later.level:
        return False
    if not _are_kin(first, later, kin):
        return False
    if later.level not in WHO or first.level in WHO:
        return True
    both_last = later.kind in LASTING and first.kind in LASTING
    patience = LASTING_GAP_DAYS if both_last else NEAR_DAYS
    others = [one for one in incident[1:] if one.level in WHO]
    is_soon = later.start <= first.start + timedelta(days=patience)
    return is_soon and all(_are_kin(one, later, kin) for one in others)


def _are_kin(one: Spell, other: Spell, kin: Kin) -> bool:
    pair = (one.series_id, other.series_id)
    return kin is None or pair in kin or pair[::-1] in kin


def _likeness(first: Spell, later: Spell) -> float:
    """The smaller of two excesses as a share of the larger: 1 where they are the same dollars."""
    mine, theirs = _day_of(first, later), abs(later.excess[later.start])
    return min(mine, theirs) / max(mine, theirs) if max(mine, theirs) > 0 else 0.0


def _day_of(first: Spell, later: Spell) -> float:
    """What the first was about when the later began: that day, or if it was silent on average."""
    known = [usd for day, usd in first.excess.items() if day <= later.start]
    return abs(first.excess.get(later.start, sum(known) / len(known)))


def _told(incident: Incident) -> tuple[object, ...]:
    first, *others = incident
    also = sorted({spell.series_id for spell in others} - {first.series_id})
    return (
        _name(incident),
        *(first.series_id, first.level, first.kind, first.direction, first.start, first.end),
        *(max(spell.score for spell in incident), first.total, also),
    )


def _name(incident: Incident) -> str:
    first = incident[0]
    return f"{first.direction}/{first.series_id}/{first.start}"


def _place(level: str) -> int:
    return CLEAREST.index(level) if level in CLEAREST else CLEAREST.index("project")
