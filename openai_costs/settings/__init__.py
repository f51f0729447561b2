"""The sections of `openai_costs.toml` as typed models, a file per subject.

They read nothing: load.py fills them in from the environment and the file (settings_file.py), and
says what is wrong with either (error_texts.py) and on which line (error_location.py). A provider's
own settings are in its folder below sources/. Not here: keys, which are read when they are needed.
"""

from openai_costs.settings.alerts import ABOUT_DATA, Alerts, ChannelKind, Route, Severity
from openai_costs.settings.at_rest import Publish, Storage
from openai_costs.settings.budgets import Budget, BudgetPeriod, BudgetScope
from openai_costs.settings.gateway import AllowedKey, Gateway, Upstream
from openai_costs.settings.mutes import Mute
from openai_costs.settings.retention import Retention
from openai_costs.settings.schema import (
    Anomalies,
    AnomalyScope,
    Directory,
    DirectoryFile,
    Reading,
    Seats,
    Sensitivity,
    Team,
    refuse_shared,
)
from openai_costs.settings.section import Name, Section, VariableName, web_address

__all__ = [
    "ABOUT_DATA",
    "Alerts",
    "AllowedKey",
    "Anomalies",
    "AnomalyScope",
    "Budget",
    "BudgetPeriod",
    "BudgetScope",
    "ChannelKind",
    "Directory",
    "DirectoryFile",
    "Gateway",
    "Mute",
    "Name",
    "Publish",
    "Reading",
    "Retention",
    "Route",
    "Seats",
    "Section",
    "Sensitivity",
    "Severity",
    "Storage",
    "Team",
    "Upstream",
    "VariableName",
    "refuse_shared",
    "web_address",
]
