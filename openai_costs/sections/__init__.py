"""The sections of `openai_costs.toml` as typed models, a file per subject.

Read nothing: settings.py fills them in. Not here: connections and their keys (settings.py).
"""

from openai_costs.sections.alerts import ABOUT_DATA, Alerts, ChannelKind, Mute, Route, Severity
from openai_costs.sections.anomalies import Anomalies, AnomalyScope, Sensitivity
from openai_costs.sections.budgets import Budget, BudgetPeriod, BudgetScope
from openai_costs.sections.gateway import AllowedKey, Gateway, Upstream
from openai_costs.sections.people import Directory, Seats
from openai_costs.sections.reading import Reading
from openai_costs.sections.section import Name, Section, VariableName, web_address
from openai_costs.sections.teams import Team, refuse_shared

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
    "Gateway",
    "Mute",
    "Name",
    "Reading",
    "Route",
    "Seats",
    "Section",
    "Sensitivity",
    "Severity",
    "Team",
    "Upstream",
    "VariableName",
    "refuse_shared",
    "web_address",
]
