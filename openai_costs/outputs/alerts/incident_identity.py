"""Which candidate is which finding, also when a restatement moved its days. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.judged_days import JudgedDays
from openai_costs.outputs.alerts.rows import Candidate, Finding, Key
from openai_costs.questions.rules import Rule

TOLERANCE = timedelta(days=2)
"""Episodes of one subject so close to each other are one incident: a restatement that moves the
start of an incident by a day must not make a second finding of it."""


class Match(NamedTuple):
    """A finding, and the incident it is today.

    Args:
        finding_id: The finding's id; of a new incident, the id it will have.
        before: The finding as it was; None for a new incident.
        incident: Today's candidate; None where there is none any more.
        rule: The rule.
        judged: The days that the rule has judged of this connection.
        has_earlier: Whether a new incident's subject has findings of the same rule already.
        is_replaced: Whether an incident of another rule has taken the place of the finding.
    """

    finding_id: str
    before: Finding | None
    incident: Candidate | None
    rule: Rule
    judged: Collection[date]
    has_earlier: bool = False
    is_replaced: bool = False


def matches(
    known: Sequence[Finding], candidates: Iterable[Candidate], judged: JudgedDays
) -> list[Match]:
    """Return every known finding and every new incident, subject by subject.

    Args:
        known: The findings so far.
        candidates: Candidates; those of days that were not judged wait for a later evaluation.
        judged: The days that each rule has judged.
    """
    by_subject = incidents(
        one for one in candidates if one.day in judged.of(one.rule, one.connection)
    )
    known = handed_over(known, by_subject)
    known_by = {key: list(some) for key, some in groupby(sorted(known, key=_key), key=_key)}
    taken = {one.finding_id for one in known}
    found: list[Match] = []
    for key in sorted({*known_by, *by_subject}):
        rule, days = judged.rule(key[0]), judged.of(key[0], key[1])
        findings = known_by.get(key, [])
        continued, new = matched(findings, by_subject.get(key, []), days, rule.quiet_days)
        for one in findings:
            incident_now = continued.get(one.finding_id)
            instead = by_subject.get((rule.replaced_by, *key[1:]), [])
            is_replaced = any(other.day >= one.day for other in instead)
            found.append(
                Match(one.finding_id, one, incident_now, rule, days, is_replaced=is_replaced)
            )
        for incident in new:
            name = finding_id(incident, taken)
            taken.add(name)
            found.append(Match(name, None, incident, rule, days, bool(findings)))
    return found


def incidents(candidates: Iterable[Candidate]) -> dict[Key, list[Candidate]]:
    """Return the incidents of each subject, oldest first: episodes close together are one."""
    by_subject: dict[Key, list[Candidate]] = {}
    for one in sorted(candidates, key=lambda one: (one.since_day, one.day)):
        of_subject = by_subject.setdefault(one.key, [])
        if of_subject and one.since_day - TOLERANCE <= of_subject[-1].day:
            of_subject[-1] = _merged(of_subject[-1], one)
        else:
            of_subject.append(one)
    return by_subject


def handed_over(
    known: Sequence[Finding], incidents: Mapping[Key, Sequence[Candidate]]
) -> list[Finding]:
    """Return the findings, each of the subject that its incident is reported of now.

    After a restatement the user may be unusual too, and report what the key reported before. After
    another one the key may be unusual alone: its incident has the id of a finding that began with
    it. A finding whose own subject still has its incident stays with it.

    Args:
        known: The findings so far.
        incidents: What `incidents` returns.
    """
    now: dict[Key | str, list[Candidate]] = {}
    for incident in (one for some in incidents.values() for one in some):
        names: list[Key | str] = [*incident.other_keys, *_ids_of_close_starts(incident)]
        for name in names:
            now.setdefault(name, []).append(incident)
    return [
        one
        if any(_meet(one, its) for its in incidents.get(one.key, ()))
        else _with_subject(one, [*now.get(one.key, ()), *now.get(one.finding_id, ())], known)
        for one in known
    ]


def _ids_of_close_starts(incident: Candidate) -> Iterator[str]:
    """Yield the ids that a finding has which began with the subject of an incident."""
    for days in range(-TOLERANCE.days, TOLERANCE.days + 1):
        yield finding_id(replace(incident, since_day=incident.since_day + days * ONE_DAY), ())


def _with_subject(
    one: Finding, incidents: Iterable[Candidate], known: Iterable[Finding]
) -> Finding:
    """Return a finding with the subject of the incident it is, unless that has its own finding."""
    for new in incidents:
        if _meet(one, new) and not any(each.key == new.key and _meet(each, new) for each in known):
            names = ("subject_kind", "subject_id", "subject_name")
            return replace(one, **{name: getattr(new, name) for name in names})
    return one


def matched(
    known: Sequence[Finding],
    incidents: Sequence[Candidate],
    judged: Collection[date],
    quiet_days: int,
) -> tuple[Mapping[str, Candidate], list[Candidate]]:
    """Return which incident each known finding of a subject is today, and the new incidents.

    Args:
        known: The findings of one subject.
        incidents: Its incidents, oldest first.
        judged: The days its rule has judged.
        quiet_days: Judged days without the condition after which a finding is closed.
    """
    continued: dict[str, Candidate] = {}
    new = []
    for incident in incidents:
        same = [one for one in known if _is_same(one, incident, judged, quiet_days)]
        if same:
            newest = max(same, key=lambda one: one.day)
            before = continued.get(newest.finding_id)
            continued[newest.finding_id] = _merged(before, incident) if before else incident
        else:
            new.append(incident)
    return continued, new


def finding_id(incident: Candidate, taken: Collection[str]) -> str:
    """Return a short id derived from the incident's subject and its first day."""
    text = "|".join((*incident.key, str(incident.since_day)))
    for attempt in range(len(taken) + 1):
        made = hashlib.sha256(f"{text}|{attempt}".encode()).hexdigest()[:12]
        if made not in taken:
            return made
    raise AssertionError("more ids than findings")  # pragma: no cover


def _merged(first: Candidate, second: Candidate) -> Candidate:
    """Return two episodes as one: the numbers of the newer, from the earlier start."""
    newer = second if second.day >= first.day else first
    return replace(newer, since_day=min(first.since_day, second.since_day))


def _meet(one: Candidate, other: Candidate) -> bool:
    """Return whether the days of two episodes are close together."""
    return one.since_day - TOLERANCE <= other.day and other.since_day - TOLERANCE <= one.day


def _is_same(one: Finding, incident: Candidate, judged: Collection[date], quiet_days: int) -> bool:
    if _meet(one, incident):
        return True
    if one.state == "closed" or incident.since_day < one.since_day:
        return False
    # No rule judged the days in between: as far as is known, the condition continued.
    return sum(one.day < day < incident.since_day for day in judged) < max(quiet_days, 1)


def _key(one: Finding) -> Key:
    return one.key
