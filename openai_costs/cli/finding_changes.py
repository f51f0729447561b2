"""What the commands acknowledge and mute do to a finding; prints nothing."""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from upath import UPath

from openai_costs.cli.empty_home import refuse_empty
from openai_costs.cli.home_settings import option_of
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.redaction import may_be_read
from openai_costs.outputs.alerts.evaluation import NOTHING
from openai_costs.outputs.alerts.mutes import keep_mute, with_mutes
from openai_costs.outputs.alerts.record import record
from openai_costs.outputs.alerts.rows import Finding, findings_frame, rows
from openai_costs.settings import Mute
from openai_costs.settings.load import Settings
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unwritable
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import OPEN, Findings

BY = "command line"


def acknowledge(settings: Settings, name: str, by: str, today: date) -> str:
    """Note who takes care of an open finding, and return a sentence about it.

    It stays open and is reported again when it grows: then it needs a new acknowledgement.

    Raises:
        NothingStored: Nothing was evaluated in this home yet.
        SettingsError: There is no such open finding, or the name cannot be used.
    """
    home = place(settings.home)
    refuse_empty(home, "findings")
    if not (by := by.strip()) or not may_be_read(by):
        raise SettingsError(
            "--by needs the name of a person or team, without an e-mail address or a key."
        )
    refuse_unwritable(home)
    lake = Lake(home)
    with lake.alone(Findings):
        finding = _named(home, name)
        about = f"{finding.finding_id} ({finding.rule})"
        if finding.state not in OPEN:
            raise SettingsError(f"{about} is {finding.state}: only an open finding needs it.")
        taken = replace(finding, acknowledged_by=by, acknowledged_day=today)
        known = rows(Finding, lake.read(Findings))
        after = [taken if one.finding_id == taken.finding_id else one for one in known]
        lake.replace_whole(Findings, findings_frame(after))
    return f"{about} is acknowledged by {by}, until it grows or closes."


class MuteRequest(NamedTuple):
    """Why a finding is muted, through which UTC day, and by whom."""

    reason: str
    until: date
    by: str = ""


def mute(settings: Settings, name: str, request: MuteRequest, today: date) -> str:
    """Mute a finding, and return a sentence about it.

    Raises:
        NothingStored: Nothing was evaluated in this home yet.
        SettingsError: There is no such finding, or the request cannot be used.
    """
    home = place(settings.home)
    refuse_empty(home, "findings")
    finding = _named(home, name)
    reason, until, by = request.reason.strip(), request.until, request.by.strip() or BY
    if until < today:
        raise SettingsError(f"--until {until} has passed. Give today, {today}, or a later day.")
    if not reason or not may_be_read(f"{reason} {by}"):
        raise SettingsError(
            "A mute needs a reason, and neither the reason nor the name may hold an e-mail address "
            "or a key."
        )
    refuse_unwritable(home)
    entry = Mute(finding=finding.finding_id, reason=reason, until=until, by=by)
    keep_mute(home, entry)
    lake = Lake(home)
    with lake.alone(Findings):
        record(lake, NOTHING, with_mutes(settings.alerts, home), today)
    about = f"{finding.finding_id} ({finding.rule})"
    if finding.state == "closed":
        return f"{about} is closed. If it opens again, it is muted through {until}: {reason}"
    return f"{about} is muted through {until}: {reason}"


def _named(home: UPath, name: str) -> Finding:
    found = rows(Finding, Lake(home).read(Findings))
    same = [one for one in found if name and one.finding_id.startswith(name)]
    if len(same) == 1:
        return same[0]
    why = "There is no finding" if not same else f"{len(same)} findings begin with"
    listing = f"`openai-costs findings --all{option_of(home)}`"
    raise SettingsError(f"{why} {name!r}. {listing} lists them.")
