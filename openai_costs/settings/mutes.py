"""`[[alerts.mutes]]`: findings that send no message, through a day."""

from datetime import date
from fnmatch import fnmatchcase
from typing import Self

from pydantic import Field, model_validator

from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.section import Section, Shown


class Mute(Section):
    """Which findings send no message, why, through which day, and who decided it."""

    finding: str = ""
    rule: str = "*"
    connection: str = "*"
    subject: str = "*"
    reason: Shown = Field(min_length=1)
    until: date
    """The last day of the mute."""
    by: Shown = "openai_costs.toml"

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if not self.finding and {self.rule, self.connection, self.subject} == {"*"}:
            raise SettingRefused(
                "would mute everything: name a finding, rule, connection or subject"
            )
        if "@" in self.reason + self.by:
            raise SettingRefused("holds an e-mail address: write a name instead")
        return self

    def covers(
        self, finding_id: str, rule: str, connection: str, subject: str, today: date
    ) -> bool:
        """Return whether a finding is muted today."""
        if today > self.until or self.finding not in ("", finding_id):
            return False
        pairs = ((rule, self.rule), (connection, self.connection), (subject, self.subject))
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)
