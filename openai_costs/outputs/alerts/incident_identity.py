"""Which candidate is which finding, also when a restatement moved its days. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from openai_costs.outputs.alerts.rows import Candidate, Finding, Key

TOLERANCE = timedelta(days=2)
"""Spells of one subject so close to each other are one incident: a restatement that moves the
start of an incident by a day must not make a second finding of it."""


def incidents(found: Iterable[Candidate]) -> dict[Key, list[Candidate]]:
    """Return each subject's candidates, spells that are one incident made one, oldest first."""
    spells: dict[Key, list[Candidate]] = {}
    for one in sorted(found, key=lambda one: (one.since_day, one.day)):
        of_subject = spells.setdefault(one.key, [])
        if of_subject and one.since_day - TOLERANCE <= of_subject[-1].day:
            of_subject[-1] = _together(of_subject[-1], one)
        else:
            of_subject.append(one)
    return spells


def matched(
    known: Sequence[Finding], spells: Sequence[Candidate], judged: Collection[date], quiet: int
) -> tuple[Mapping[str, Candidate], list[Candidate]]:
    """Return which spell each known finding of a subject is now, and the spells that are new.

    Args:
        known: The findings of one subject.
        spells: Its incidents, oldest first.
        judged: The days its rule has judged.
        quiet: Judged days without the condition after which a finding is over.
    """
    continued: dict[str, Candidate] = {}
    new = []
    for spell in spells:
        same = [one for one in known if _is_same(one, spell, judged, quiet)]
        if same:
            newest = max(same, key=lambda one: one.day)
            before = continued.get(newest.finding_id)
            continued[newest.finding_id] = _together(before, spell) if before else spell
        else:
            new.append(spell)
    return continued, new


def finding_id(spell: Candidate, taken: Collection[str]) -> str:
    """Return a short id made of what the incident is about and when it began."""
    said = "|".join((*spell.key, str(spell.since_day)))
    for again in range(len(taken) + 1):
        found = hashlib.sha256(f"{said}|{again}".encode()).hexdigest()[:12]
        if found not in taken:
            return found
    raise AssertionError("more ids than findings")  # pragma: no cover


def _together(first: Candidate, second: Candidate) -> Candidate:
    """Return two spells as one: the newer one's numbers, since the earlier start."""
    newer = second if second.day >= first.day else first
    return replace(newer, since_day=min(first.since_day, second.since_day))


def _is_same(one: Finding, spell: Candidate, judged: Collection[date], quiet: int) -> bool:
    if one.since_day - TOLERANCE <= spell.day and spell.since_day - TOLERANCE <= one.day:
        return True
    if one.state == "closed" or spell.since_day < one.since_day:
        return False
    # Nobody looked in between: it went on, for all we know.
    return sum(one.day < day < spell.since_day for day in judged) < max(quiet, 1)
