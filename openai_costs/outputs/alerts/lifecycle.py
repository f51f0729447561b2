"""The life of a finding: opened, growing, muted, closed. One for every rule. Pure.

Judging the same facts again changes nothing, in whatever order days are judged again. A day that
was not judged (provisional, missing, not computed yet) neither opens nor closes anything.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta

from openai_costs.outputs.alerts.changed import changed, unmuted
from openai_costs.outputs.alerts.incident_identity import Match, matches
from openai_costs.outputs.alerts.judged_days import JudgedDays
from openai_costs.outputs.alerts.rows import Candidate, Change, Finding
from openai_costs.settings import Alerts, Mute
from openai_costs.tables.candidate import SEVERITIES

_OF_CANDIDATE = tuple(one.name for one in fields(Candidate))


@dataclass
class Decision:
    """The findings as they are after an evaluation, and what changed since the one before."""

    findings: list[Finding] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def decide(
    known: Sequence[Finding],
    candidates: Iterable[Candidate],
    judged: JudgedDays,
    alerts: Alerts,
    today: date,
) -> Decision:
    """Decide what becomes of every known finding and of every candidate.

    Args:
        known: The findings so far.
        candidates: Candidates; those of days that were not judged wait for a later evaluation.
        judged: The days that each rule has judged.
        alerts: The mutes, and when a change is worth a message.
        today: The current UTC day.
    """
    life = _Life(alerts, today)
    for match in matches(known, candidates, judged):
        life.live(match)
    return life.decision


@dataclass
class _Life:
    """Applies the life cycle to one finding after the other."""

    alerts: Alerts
    today: date
    decision: Decision = field(default_factory=Decision)

    def live(self, match: Match) -> None:
        """Let a known finding live on, or a new incident begin."""
        if match.before is not None:
            self._continue(match.before, match)
        elif match.incident is not None:
            self._begin(match.incident, match)

    def _begin(self, incident: Candidate, match: Match) -> None:
        """Begin a finding. What ended long ago, or is muted and has ended, is only recorded."""
        is_over = _is_over(incident, incident, match.judged, match.rule.quiet_days)
        finding = Finding(
            **vars(incident),
            finding_id=match.finding_id,
            opened_day=self.today,
            docs=match.rule.docs,
        )
        if not self._is_fresh(incident) or (is_over and self._mute(finding)):
            self._keep(replace(finding, state="closed", closed_day=self.today))
        elif is_over:
            self._close(self._changed(finding, "opened", is_told=_is_news(match)), match)
        else:
            self._open(finding, is_told=_is_news(match))

    def _continue(self, before: Finding, match: Match) -> None:
        incident, days = match.incident, match.judged
        if not days or max(days) < before.day:  # an evaluation of fewer days than an earlier one
            incident, days = None, ()
        finding = _updated(before, incident)
        is_over = _is_over(finding, incident, days, match.rule.quiet_days)
        if before.state == "closed":
            is_back = finding.day > before.day and not is_over and self._is_fresh(finding)
            if is_back:
                self._open(finding, is_told=match.rule.reports_return)
            else:
                self._keep(finding)
        elif is_over:
            self._close(finding, match, is_told=before.state != "muted")
        elif before.state == "muted":
            self._stay_muted(finding)
        elif self._mute(finding):
            self._open(finding)
        elif self._has_grown(before, finding):
            self._keep(self._changed(replace(finding, state="growing"), "growing"))
        else:
            self._keep(finding)

    def _open(self, finding: Finding, *, is_told: bool = True) -> None:
        """Open a finding, or mute it from the start."""
        if mute := self._mute(finding):
            self._keep(self._changed(_muted(finding, mute), "muted"))
        else:
            self._keep(self._changed(unmuted(finding, "open"), "opened", is_told=is_told))

    def _stay_muted(self, finding: Finding) -> None:
        """Keep a mute, with its newest reason; or open again what still holds after it."""
        if mute := self._mute(finding):
            self._keep(_muted(finding, mute))
        else:
            self._open(finding)

    def _close(self, finding: Finding, match: Match, *, is_told: bool = True) -> None:
        closed = replace(unmuted(finding, "closed"), closed_day=self.today)
        is_sent = is_told and match.rule.reports_end and not match.is_replaced
        self._keep(self._changed(closed, "closed", is_told=is_sent))

    def _keep(self, finding: Finding) -> None:
        self.decision.findings.append(finding)

    def _changed(self, finding: Finding, kind: str, *, is_told: bool = True) -> Finding:
        """Add a change, and return the finding with its number."""
        new, change = changed(finding, kind, self.today, is_told=is_told)
        self.decision.changes.append(change)
        return new

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
        reported, current = abs(before.told_usd), abs(now.impact_usd)
        has_grown = current > reported and current >= reported * self.alerts.growing_factor
        return has_grown and current - reported >= self.alerts.growing_step_usd


def _is_news(match: Match) -> bool:
    """Return whether the begin of an incident is a message."""
    return match.rule.reports_return or not match.has_earlier


def _is_over(
    finding: Candidate, incident: Candidate | None, days: Collection[date], quiet_days: int
) -> bool:
    """Return whether enough days were judged without the condition."""
    if quiet_days:
        return sum(day > finding.day for day in days) >= quiet_days
    return incident is None and any(day >= finding.day for day in days)


def _updated(before: Finding, incident: Candidate | None) -> Finding:
    """Return a finding with the newest numbers and reason, from its earliest start.

    What had ended and holds again since a later day began on that day. Severity does not fall while
    it is open: rising again would send another message.
    """
    if incident is None:
        return before
    newest = {name: getattr(incident, name) for name in _OF_CANDIDATE}
    if before.state != "closed" or incident.since_day <= before.day:
        newest["since_day"] = min(before.since_day, incident.since_day)
    if before.state != "closed" and _rank(incident) < _rank(before):
        newest["severity"] = before.severity
    return replace(before, **newest)


def _muted(finding: Finding, mute: Mute) -> Finding:
    return replace(
        finding,
        state="muted",
        closed_day=None,
        muted_until=mute.until,
        mute_reason=mute.reason,
        muted_by=mute.by,
    )


def _rank(one: Candidate) -> int:
    return SEVERITIES.index(one.severity)
