"""The life of a finding: opened, growing, muted, closed. One for every rule. Pure.

Judging the same facts again changes nothing, in whatever order days are judged again. A day that
was not judged (provisional, missing, not computed yet) neither opens nor closes anything.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from itertools import groupby

from openai_costs.outputs.alerts.incident_identity import finding_id, incidents, matched
from openai_costs.outputs.alerts.judged_days import Judged
from openai_costs.outputs.alerts.rows import Candidate, Change, Finding, Key
from openai_costs.settings import Alerts, Mute
from openai_costs.tables.candidate import SEVERITIES

_SAID = tuple(one.name for one in fields(Candidate))


@dataclass
class Reviewed:
    """The findings as they stand after a look, and what changed since the one before."""

    findings: list[Finding] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def review(
    known: Sequence[Finding],
    found: Iterable[Candidate],
    judged: Judged,
    alerts: Alerts,
    today: date,
) -> Reviewed:
    """Look at all subjects: those known, and those a question found something about.

    Args:
        known: The findings so far.
        found: Candidates; those of days that were not judged are left for later.
        judged: What was looked at.
        alerts: The mutes, and when a change is worth telling.
        today: The current UTC day.
    """
    spells = incidents(one for one in found if one.day in judged.of(one.rule, one.connection))
    by_key = groupby(sorted(known, key=_key), key=_key)
    subjects = {key: list(some) for key, some in by_key}
    look = _Look(judged, alerts, today, {one.finding_id for one in known})
    for key in sorted({*subjects, *spells}):
        look.at(key, subjects.get(key, []), spells.get(key, []))
    return look.done


@dataclass
class _Look:
    """One look, with what it has seen so far."""

    judged: Judged
    alerts: Alerts
    today: date
    ids: set[str]
    done: Reviewed = field(default_factory=Reviewed)

    def at(self, key: Key, known: Sequence[Finding], spells: Sequence[Candidate]) -> None:
        """Judge one subject."""
        days = self.judged.of(key[0], key[1])
        quiet = self.judged.rule(key[0]).quiet_days
        continued, new = matched(known, spells, days, quiet)
        for finding in known:
            self._go_on(finding, continued.get(finding.finding_id), days, quiet)
        for spell in new:
            self._meet(spell, is_over=_is_over(spell, spell, days, quiet))

    def _meet(self, spell: Candidate, *, is_over: bool) -> None:
        """Take in what was not known. What is long over, or muted and over, is only recorded."""
        name = finding_id(spell, self.ids)
        self.ids.add(name)
        docs = self.judged.rule(spell.rule).docs
        finding = Finding(**vars(spell), finding_id=name, opened_day=self.today, docs=docs)
        if not self._is_fresh(spell) or (is_over and self._mute(finding)):
            self._keep(replace(finding, state="closed", closed_day=self.today))
        elif is_over:
            self._close(self._noted(finding, "opened"))
        else:
            self._open(finding)

    def _go_on(
        self, before: Finding, spell: Candidate | None, days: Collection[date], quiet: int
    ) -> None:
        """Let a known finding live on."""
        if not days or max(days) < before.day:  # an older look than one we have had
            spell, days = None, ()
        finding = _updated(before, spell)
        is_over = _is_over(finding, spell, days, quiet)
        if before.state == "closed":
            is_back = finding.day > before.day and not is_over and self._is_fresh(finding)
            (self._open if is_back else self._keep)(finding)
        elif is_over:
            self._close(finding, is_told=before.state != "muted")
        elif before.state == "muted":
            self._stay_muted(finding)
        elif self._mute(finding):
            self._open(finding)
        elif self._has_grown(before, finding):
            self._keep(self._noted(replace(finding, state="growing"), "growing"))
        else:
            self._keep(finding)

    def _open(self, finding: Finding) -> None:
        """Open a finding, or what is muted from the start."""
        if mute := self._mute(finding):
            self._keep(self._noted(_muted(finding, mute), "muted"))
        else:
            self._keep(self._noted(_audible(finding, "open"), "opened"))

    def _stay_muted(self, finding: Finding) -> None:
        """Keep a mute, with its newest words; or open again what is still there after it."""
        if mute := self._mute(finding):
            self._keep(_muted(finding, mute))
        else:
            self._open(finding)

    def _close(self, finding: Finding, *, is_told: bool = True) -> None:
        closed = replace(_audible(finding, "closed"), closed_day=self.today)
        reports_end = self.judged.rule(finding.rule).reports_end
        self._keep(self._noted(closed, "closed", is_told=is_told and reports_end))

    def _keep(self, finding: Finding) -> None:
        self.done.findings.append(finding)

    def _noted(self, finding: Finding, kind: str, *, is_told: bool = True) -> Finding:
        """Note a change, and return the finding with its number."""
        noted = replace(finding, change=finding.change + 1, told_usd=finding.impact_usd)
        self.done.changes.append(
            Change(
                finding_id=noted.finding_id,
                change=noted.change,
                kind=kind,
                changed_day=self.today,
                is_told=is_told,
                severity=noted.severity,
                day=noted.day,
                observed=noted.observed,
                expected=noted.expected,
                unit=noted.unit,
                impact_usd=noted.impact_usd,
                because=_why(noted, kind),
                outlook=noted.outlook,
            )
        )
        return noted

    def _mute(self, one: Finding) -> Mute | None:
        about = (one.finding_id, one.rule, one.connection, one.subject_id)
        return next((m for m in self.alerts.mutes if m.covers(*about, self.today)), None)

    def _is_fresh(self, one: Candidate) -> bool:
        return one.day >= self.today - timedelta(days=self.alerts.fresh_days)

    def _has_grown(self, before: Finding, now: Finding) -> bool:
        if _rank(now) > _rank(before):
            return True
        if now.impact_usd is None or before.told_usd is None:
            return False
        told, seen = abs(before.told_usd), abs(now.impact_usd)
        step = self.alerts.growing_step_usd
        return seen > told and seen >= told * self.alerts.growing_factor and seen - told >= step


def _is_over(
    finding: Candidate, spell: Candidate | None, days: Collection[date], quiet: int
) -> bool:
    """Return whether enough days were judged without the condition."""
    if quiet:
        return sum(day > finding.day for day in days) >= quiet
    return spell is None and any(day >= finding.day for day in days)


def _updated(before: Finding, spell: Candidate | None) -> Finding:
    """Return a finding with the newest words and numbers, since its earliest start.

    Severity does not fall while it is open: to rise again would be told again.
    """
    if spell is None:
        return before
    said = {name: getattr(spell, name) for name in _SAID}
    said["since_day"] = min(before.since_day, spell.since_day)
    if before.state != "closed" and _rank(spell) < _rank(before):
        said["severity"] = before.severity
    return replace(before, **said)


def _muted(finding: Finding, mute: Mute) -> Finding:
    return replace(
        finding,
        state="muted",
        closed_day=None,
        muted_until=mute.until,
        mute_reason=mute.reason,
        muted_by=mute.by,
    )


def _why(finding: Finding, kind: str) -> str:
    """Return the reason of a change; who muted it, and why, is known for good only there."""
    if kind != "muted":
        return finding.because
    muted = f"muted through {finding.muted_until} by {finding.muted_by}: {finding.mute_reason}"
    return f"{finding.because} ({muted})"


def _audible(finding: Finding, state: str) -> Finding:
    """Return a finding in a state that is not muted."""
    return replace(
        finding, state=state, closed_day=None, muted_until=None, mute_reason=None, muted_by=None
    )


def _rank(one: Candidate) -> int:
    return SEVERITIES.index(one.severity)


def _key(one: Finding) -> Key:
    return one.key
