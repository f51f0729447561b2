"""`[reading]`: how the provider's APIs are read."""

from datetime import timedelta

from pydantic import Field

from openai_costs.sections.section import Section


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
