"""The sections `[anomalies]`, `[[teams]]`, `[reading]`, `[directory]` and `[seats]`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.section import (
    Columns,
    FileName,
    NoAddress,
    Number,
    Section,
    refuse_unknown_columns,
    written_as,
)

Sensitivity = Literal["low", "normal", "high"]

Scoped = Annotated[
    str,
    written_as(
        r"(organization|provider|project|user|api_key|model|usage_type)(:.+)?",
        "must be organization, provider, project, user, api_key, model or usage_type, or one of "
        "them: user:user-ada",
    ),
]


class AnomalyScope(Section):
    """Thresholds of some series; a field that is not set is as in `[anomalies]`."""

    scope: Scoped
    """A kind of series (`user`), or one of them (`user:user-ada`)."""
    connection: str = "*"
    sensitivity: Sensitivity | None = None
    minimum_usd: Number | None = Field(default=None, ge=0)
    minimum_growth_pct: Number | None = Field(default=None, ge=0)
    newcomer_usd: Number | None = Field(default=None, ge=0)


class Anomalies(Section):
    """When a change of spend is reported."""

    sensitivity: Sensitivity = "normal"
    """How far from what is expected: low 5.5, normal 4.5, high 3.5 spreads."""
    minimum_usd: Number = Field(default=Decimal(10), ge=0)
    """A day with fewer dollars above the expected spend is never reported, ..."""
    minimum_pct: Number = Field(default=Decimal(1), ge=0, le=100)
    """... nor one below this share of the organization's mean day, ..."""
    minimum_growth_pct: Number = Field(default=Decimal(25), ge=0)
    """... nor one that grew by less than this."""
    newcomer_usd: Number = Field(default=Decimal(50), ge=0)
    """Dollars a day from which a series is reported in its first week."""
    critical_usd: Number = Field(default=Decimal(500), ge=0)
    """Dollars above the expected spend from which an incident is critical."""
    scopes: tuple[AnomalyScope, ...] = ()


# `[[teams]]`: which team a project, a person or a key belongs to.

NO_TEAM = ("~none", "(none)", "(no team)")
"""What page, addresses and views call the dollars of no team."""


def _team_name(value: str) -> str:
    if value in NO_TEAM:
        raise SettingRefused("is what dollars of no team are called: choose another name")
    return value


class Team(Section):
    """A team, and what belongs to it. A key takes precedence over a user, a user over a project."""

    name: Annotated[NoAddress, AfterValidator(_team_name)]
    api_keys: tuple[NoAddress, ...] = ()
    users: tuple[NoAddress, ...] = ()
    projects: tuple[NoAddress, ...] = ()


def refuse_shared(teams: Sequence[Team]) -> None:
    """Refuse an id that is in two teams, or twice in one.

    Raises:
        SettingRefused: Names the first such id, and where it is.
    """
    for kind in ("api_keys", "users", "projects"):
        first: dict[str, int] = {}
        for number, team in enumerate(teams):
            for place, one in enumerate(getattr(team, kind)):
                if one in first:
                    owner = "here" if first[one] == number else f"in team {teams[first[one]].name}"
                    raise SettingRefused(
                        f"of team {team.name} is {one}, which is {owner} already: keep it once",
                        ("teams", number, kind, place),
                        ("teams", first[one], kind),
                    )
                first[one] = number


# `[reading]`: how the provider's APIs are read.


class Reading(Section):
    """How the provider's APIs are read."""

    trailing_days: int = Field(default=7, ge=1, le=90)
    """How many days a daily refresh reads again, because closed days are restated."""
    settle_hours: int = Field(default=24, ge=0, le=24 * 14)
    """How long after its end a day stays provisional."""
    max_body_mb: int = Field(default=64, ge=1, le=2048)
    """The largest response taken into memory; a larger one makes the window shrink."""
    run_per_connection: bool = False
    """Whether the daily refresh is a run for each connection, so that machines share the work."""

    @property
    def grace(self) -> timedelta:
        """How long after its end a day stays provisional."""
        return timedelta(hours=self.settle_hours)


# `[directory]` and `[seats]`: the company's own list of people, and what a seat costs.


PEOPLE_COLUMNS = (
    *("person_id", "name", "first_name", "last_name", "email", "aliases"),
    *("team", "cost_center", "status", "left_day", "openai_user_id"),
)
"""Our columns of a list of people."""


class DirectoryFile(Section):
    """A file of people, with its own columns where they differ from those of the section."""

    path: FileName
    """The file, from the folder of the settings; `*` is allowed."""
    columns: Columns = Field(default_factory=dict)
    """Our name of a column, and its name in this file."""
    separator: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    """What separates the cells of a CSV; a comma, where it is not set."""

    @model_validator(mode="after")
    def _names_known_columns(self) -> Self:
        refuse_unknown_columns(self.columns, PEOPLE_COLUMNS, "columns")
        return self


class Directory(Section):
    """Where the company's own list of people is, and how an address finds its person."""

    files: tuple[DirectoryFile, ...] = ()
    """Backstage YAML, CSV, or JSON of SCIM and other directories: a path, or a table with one."""
    columns: Columns = Field(default_factory=dict)
    """For all files: our name of a column, and its name in the file."""
    domain_aliases: Mapping[str, str] = Field(default_factory=dict)
    """A mail domain, and the domain it is equivalent to."""
    ignore_plus_tags: bool = False
    service_accounts: tuple[str, ...] = ()
    """Addresses or user ids of service accounts; `*` is allowed."""
    largest_drop_pct: Number = Field(default=Decimal(50), gt=0, le=100)
    """A directory that lost this share of its people since the last read is not used."""

    @field_validator("files", mode="before")
    @classmethod
    def _with_paths(cls, value: object) -> object:
        if not isinstance(value, (list, tuple)):
            return value
        return [{"path": one} if isinstance(one, str) else one for one in value]

    @model_validator(mode="after")
    def _names_known_columns(self) -> Self:
        refuse_unknown_columns(self.columns, PEOPLE_COLUMNS, "columns")
        return self


class Seats(Section):
    """What a seat costs, by contract, and when it is idle."""

    month_usd: Number | None = Field(default=None, ge=0)
    """Contract price of one seat for a month."""
    month_usd_by_role: Mapping[str, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)
    idle_after_days: int = Field(default=30, ge=1, le=366)
    subscription_labels: tuple[str, ...] = ("seat", "subscription", "chatgpt")
    """Words that mark a line item as a seat's; the Costs API has no such lines today."""
