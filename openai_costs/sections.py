"""The sections of `openai_costs.toml` as typed models.

Reads nothing: settings.py fills them in. Not here: connections and their keys (settings.py).
"""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """What every section keeps: no unknown name, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(Section):
    """How the provider's APIs are read."""

    trailing_days: int = Field(default=7, ge=1, le=90)
    """How many days a daily refresh reads again, because closed days are restated."""
    settle_hours: int = Field(default=24, ge=0, le=24 * 14)
    """How long after its end a day stays provisional."""
    max_body_mb: int = Field(default=64, ge=1, le=2048)
    """The largest answer taken into memory; a larger one makes the window shrink."""

    @property
    def grace(self) -> timedelta:
        """How long after its end a day stays provisional."""
        return timedelta(hours=self.settle_hours)


class Team(Section):
    """A team, and what belongs to it. A key says more than a user, a user more than a project."""

    name: str = Field(min_length=1)
    api_keys: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
