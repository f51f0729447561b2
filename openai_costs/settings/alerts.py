"""`[alerts]`: routes, the weekly digest, and when a change is worth a message."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.mutes import Mute
from openai_costs.settings.secrets import (
    SecretCommand,
    SecretEntry,
    SecretFile,
    SecretPlace,
    place_of,
    refuse_two_places,
)
from openai_costs.settings.section import (
    Name,
    Number,
    Section,
    VariableName,
    refuse_twins,
    written_as,
)

Severity = Literal["info", "warning", "critical"]
ChannelKind = Literal["slack", "teams", "email", "webhook", "pagerduty", "apprise"]
"""Each is the name of a file in outputs/alerts/channels/."""
HeaderName = Annotated[
    str, written_as(r"[A-Za-z0-9-]+", "must be the name of a header: letters, digits and - only")
]
HeaderValue = Annotated[
    str, written_as(r"[ -~]+", "must be one line of ASCII text, as a header's value is")
]
WebAddress = Annotated[
    str,
    written_as(
        r"https?://[^\s@]+",
        "must be a web address without a user: https://costs.example.com",
    ),
]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
"""In the order of `date.weekday`."""
Globs = tuple[Annotated[str, StringConstraints(min_length=1)], ...]
ABOUT_DATA = "data."
"""The prefix of rules about data: they are for operators, not for spenders."""

_SECRET_HEADER = re.compile(r"(?i)authorization|cookie|key|token|secret|password")
_NEEDS: dict[str, tuple[str, ...]] = {
    "slack": ("url_env",),
    "teams": ("url_env",),
    "email": ("url_env", "sender", "to"),
    "webhook": ("url_env", "secret_env"),
    "pagerduty": ("secret_env",),
    "apprise": ("url_env",),
}


class Route(Section):
    """Which findings go where. A secret is named by its variable, and never written here."""

    name: Name
    channel: ChannelKind
    url_env: VariableName | None = None
    """Names the variable with the address: of a webhook, of a mail server, or for apprise."""
    secret_env: VariableName | None = None
    """Names the variable with the webhook's signing secret or PagerDuty's routing key."""
    url_file: SecretFile | None = None
    url_command: SecretCommand | None = None
    url_keyring: SecretEntry | None = None
    secret_file: SecretFile | None = None
    secret_command: SecretCommand | None = None
    secret_keyring: SecretEntry | None = None
    rules: Globs = ("*",)
    """None: no finding, for a route that receives the weekly digest only."""
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
    headers: Mapping[HeaderName, HeaderValue] | None = None
    """More headers of a webhook, by name."""
    headers_env: Mapping[HeaderName, VariableName] | None = None
    """The same for secrets: header name, and the name of the variable that holds the value."""
    body_template: str | None = None
    """The JSON body of a webhook as a Jinja template, instead of ours."""

    @model_validator(mode="after")
    def _has_what_its_channel_needs(self) -> Self:
        needs = ("url_env",) if self.body_template else _NEEDS[self.channel]
        for prefix in ("url", "secret"):
            refuse_two_places(self, prefix)
        if missing := [name for name in needs if not self._has(name)]:
            raise SettingRefused(
                f"needs {missing[0]}, because route {self.name!r} goes to {self.channel}: add it"
            )
        if self.digest and self.is_stateful:
            raise SettingRefused(
                f"is not possible in route {self.name!r}, whose incidents are sent one by one: "
                "remove it",
                ("digest",),
            )
        return self

    @model_validator(mode="after")
    def _has_nothing_that_its_channel_ignores(self) -> Self:
        of_webhook = ("headers", "headers_env", "body_template")
        ignored = [name for name in of_webhook if getattr(self, name) is not None]
        if ignored and self.channel != "webhook":
            raise SettingRefused(
                f"is only for a webhook, and route {self.name!r} goes to {self.channel}: remove it",
                (ignored[0],),
            )
        if secret := next(filter(_SECRET_HEADER.search, self.headers or ()), None):
            raise SettingRefused(
                "may hold a secret: export its value, and name the variable in headers_env",
                ("headers", secret),
            )
        return self

    def _has(self, name: str) -> bool:
        """Return whether a setting is there, or another one for the same secret."""
        is_secret = name.endswith("_env")
        return bool(place_of(self, name[: -len("_env")]) if is_secret else getattr(self, name))

    @property
    def url_place(self) -> SecretPlace | None:
        """Where its address is."""
        return place_of(self, "url")

    @property
    def secret_places(self) -> Mapping[str, SecretPlace]:
        """Where its other secrets are: by the name of a header, the signing secret by none."""
        own = place_of(self, "secret")
        headers = self.headers_env or {}
        places = {name: SecretPlace("env", held, "headers_env") for name, held in headers.items()}
        return places | ({"": own} if own else {})

    @property
    def is_stateful(self) -> bool:
        """Whether the channel keeps incidents that must be resolved when a finding is muted."""
        return self.channel == "pagerduty" or self.body_template is not None

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


class Weekly(Section):
    """The weekly digest: the first screen of the cost explorer as a message."""

    routes: tuple[Name, ...] = Field(min_length=1)
    """The names of the routes that receive it."""
    day: Weekday = "monday"
    hour: int = Field(default=7, ge=0, le=23)
    """The UTC hour from which it is sent."""


class Alerts(Section):
    """Which findings go where, and when a change is worth a message."""

    routes: tuple[Route, ...] = ()
    mutes: tuple[Mute, ...] = ()
    weekly: Weekly | None = None
    page_url: WebAddress | None = None
    """The address of the cost explorer: messages link to the view they speak of."""
    dagster_url: WebAddress | None = None
    """The address of the Dagster UI: messages link to the asset with the evidence."""
    growing_factor: Number = Field(default=Decimal("1.5"), gt=1, le=100)
    """A finding grows when its dollars reach this multiple of those last reported, ..."""
    growing_step_usd: Number = Field(default=Decimal(10), ge=0)
    """... and exceed them by at least this many dollars."""
    fresh_days: int = Field(default=7, ge=1, le=90)
    """An incident that ended longer ago is recorded without a message."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        refuse_twins([route.name for route in self.routes], ("routes",), "route", ("alerts",))
        return self

    @model_validator(mode="after")
    def _every_route_receives_something(self) -> Self:
        weekly = self.weekly.routes if self.weekly else ()
        known = {route.name: route for route in self.routes}
        for name in weekly:
            if name not in known:
                raise SettingRefused(
                    f"names route {name!r}, which [[alerts.routes]] does not have: add it",
                    ("weekly", "routes"),
                )
            if known[name].is_stateful:
                raise SettingRefused(
                    f"names route {name!r}, which keeps incidents: choose a route without "
                    "body_template that does not go to pagerduty",
                    ("weekly", "routes"),
                )
        if idle := [name for name, one in known.items() if not one.rules and name not in weekly]:
            raise SettingRefused(
                f"is empty in route {idle[0]!r}, which would receive nothing: add a rule, or name "
                "the route in [alerts.weekly]",
                ("routes", list(known).index(idle[0]), "rules"),
            )
        return self


def _any(patterns: Iterable[str], value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)
