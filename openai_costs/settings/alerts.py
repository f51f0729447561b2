"""`[alerts]`: which findings go to which route, what is muted, and when a change is sent."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from openai_costs.settings.section import Name, Section, VariableName

Severity = Literal["info", "warning", "critical"]
ChannelKind = Literal["slack", "email", "webhook", "pagerduty", "apprise"]
Globs = tuple[Annotated[str, StringConstraints(min_length=1)], ...]
ABOUT_DATA = "data."
"""Prefix of the rules about data, which are for operators rather than for those who spend."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "slack": ("url_env",),
    "email": ("url_env", "sender", "to"),
    "webhook": ("url_env", "secret_env"),
    "pagerduty": ("secret_env",),
    "apprise": ("url_env",),
}


class Route(Section):
    """Which findings go where. Secrets are named by their variable, never written here."""

    name: Name
    channel: ChannelKind
    url_env: VariableName | None = None
    """The variable that holds the address: a webhook, smtp(s)://user:password@host, apprise."""
    secret_env: VariableName | None = None
    """The variable that holds the webhook's signing secret or PagerDuty's routing key."""
    rules: Globs = Field(default=("*",), min_length=1)
    min_severity: Severity = "info"
    connections: Globs = Field(default=("*",), min_length=1)
    owners: Globs = Field(default=("*",), min_length=1)
    digest: bool = False
    """One message a day instead of one per change."""
    digest_hour: int = Field(default=7, ge=0, le=23)
    """The UTC hour from which the day's digest is sent."""
    allow_email: bool = False
    """Whether messages may hold e-mail addresses."""
    sender: str | None = None
    to: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_what_its_channel_needs(self) -> Self:
        missing = [name for name in _NEEDS[self.channel] if not getattr(self, name)]
        if missing:
            raise ValueError(f"route {self.name!r} ({self.channel}) needs {missing[0]}: add it")
        if self.digest and self.channel == "pagerduty":
            raise ValueError(
                f"route {self.name!r}: PagerDuty takes incidents, not digests; remove digest"
            )
        return self

    @property
    def is_stateful(self) -> bool:
        """Whether the channel keeps incidents that must be resolved when a finding is muted."""
        return self.channel == "pagerduty"

    def wants_rule(self, rule: str) -> bool:
        """Return whether findings of a rule go here.

        Rules about data go only where a pattern names them (`data.*`).
        """
        if rule.startswith(ABOUT_DATA):
            return _any([one for one in self.rules if one.startswith(ABOUT_DATA)], rule)
        return _any(self.rules, rule)

    def wants(self, rule: str, severity: str, connection: str, owner: str | None) -> bool:
        """Return whether a finding goes here."""
        ranks = get_args(Severity)
        return (
            self.wants_rule(rule)
            and ranks.index(severity) >= ranks.index(self.min_severity)
            and _any(self.connections, connection)
            and _any(self.owners, owner or "")
        )


class Mute(Section):
    """Findings that are not sent: which, why, until when, and who decided it."""

    finding: str = ""
    rule: str = "*"
    connection: str = "*"
    subject: str = "*"
    reason: str = Field(min_length=1)
    until: date
    """The last day on which it is muted."""
    by: str = "openai_costs.toml"

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if not self.finding and {self.rule, self.connection, self.subject} == {"*"}:
            raise ValueError("would mute everything; name a finding, rule, connection or subject")
        if "@" in self.reason + self.by:
            raise ValueError("contains an e-mail address; write a name instead")
        return self

    def covers(
        self, finding_id: str, rule: str, connection: str, subject: str, today: date
    ) -> bool:
        """Return whether a finding is muted today."""
        if today > self.until or self.finding not in ("", finding_id):
            return False
        pairs = ((rule, self.rule), (connection, self.connection), (subject, self.subject))
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)


class Alerts(Section):
    """Which findings go where, and when a change is sent."""

    routes: tuple[Route, ...] = ()
    mutes: tuple[Mute, ...] = ()
    dagster_url: str | None = Field(default=None, pattern=r"^https?://[^\s@]+$")
    """The address of the Dagster UI: messages link to the asset with the evidence."""
    growing_factor: Decimal = Field(default=Decimal("1.5"), gt=1, le=100)
    """A finding has grown when its dollars are this many times those last sent, ..."""
    growing_step_usd: Decimal = Field(default=Decimal(10), ge=0)
    """... and at least this many dollars more."""
    fresh_days: int = Field(default=7, ge=1, le=90)
    """An incident that ended more days ago than this when first detected is recorded, not sent."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [route.name for route in self.routes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two routes are named {twice[0]!r}; rename one")
        return self


def _any(patterns: Iterable[str], value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)
