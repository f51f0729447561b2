"""What the commands findings, mute and doctor show about findings and routes; prints nothing."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from upath import UPath

from openai_costs.cli.empty_home import refuse_empty
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.hosts import is_loopback
from openai_costs.outputs.alerts.channels import apprise, webhook
from openai_costs.outputs.alerts.evaluation import NOTHING
from openai_costs.outputs.alerts.mutes import keep_mute, with_mutes
from openai_costs.outputs.alerts.record import record
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.outputs.alerts.rules import all_rules, find_rule
from openai_costs.outputs.alerts.titles import one_line, title_of
from openai_costs.settings import Mute, Route
from openai_costs.settings.addresses import host_of
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import secret
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unwritable
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import OPEN, Findings, worst_first

BY = "command line"


def shown(home: UPath, *, everything: bool = False) -> list[Finding]:
    """Return the findings to show, by severity, then by dollars; by default only the open ones.

    Raises:
        NothingStored: Nothing was evaluated in this home yet.
    """
    refuse_empty(home, "findings")
    found = rows(Finding, worst_first(Lake(home).read(Findings)))
    return [one for one in found if everything or one.state in OPEN]


def lines(findings: list[Finding]) -> Iterator[str]:
    """Yield findings as text: a line with the id and the title, then the reason and the rule."""
    for one in findings:
        state = f"muted through {one.muted_until}" if one.state == "muted" else one.state
        title = title_of(one, find_rule(one.rule))
        yield f"{one.finding_id}  {state:<8} {one.severity:<8} {title}"
        yield f"              {one_line(one.because)} [{one.rule}]"
    if not findings:
        yield "No open finding. `openai-costs findings --all` also lists closed and muted ones."


def as_json(findings: list[Finding]) -> list[dict[str, object]]:
    """Return findings for programs: amounts and days as text."""
    return [{name: _plain(getattr(one, name)) for name in Findings.types()} for one in findings]


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
    if not reason or "@" in reason + by:
        raise SettingsError(
            "A mute needs a reason, and neither the reason nor the name may hold an e-mail address."
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


def _plain(value: object) -> object:
    return str(value) if isinstance(value, (Decimal, date)) else value


def _named(home: UPath, name: str) -> Finding:
    found = rows(Finding, Lake(home).read(Findings))
    same = [one for one in found if name and one.finding_id.startswith(name)]
    if len(same) == 1:
        return same[0]
    why = "There is no finding" if not same else f"{len(same)} findings begin with"
    raise SettingsError(f"{why} {name!r}. `openai-costs findings --all` lists them.")


def route_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield a fact per route and per rule pattern that matches nothing; sends nothing."""
    if not settings.alerts.routes:
        yield Diagnosis(
            "OK", "alerts", "no route, so no message is sent; findings are in mart.findings"
        )
    known = [rule.id for rule in all_rules()]
    for route in settings.alerts.routes:
        about = f"alerts: {route.name}"
        if missing := _trouble(route):
            yield Diagnosis("FAIL", about, missing)
        elif not any(map(route.wants_rule, known)):
            yield Diagnosis(
                "WARN", about, f"no rule matches {', '.join(route.rules)}: see docs/alerts.md"
            )
        else:
            yield Diagnosis("OK", about, f"sends to {route.channel}; this check sent nothing")


def _trouble(route: Route) -> str:
    """Return why a route cannot deliver; empty when nothing is known against it."""
    asks = f"Route {route.name!r} of [alerts]"
    try:
        url = secret(route.url_place, asks).get_secret_value() if route.url_place else ""
        for place in route.secret_places.values():
            secret(place, asks)
    except SettingsError as missing:
        return str(missing)
    if route.channel == "apprise" and not apprise.is_installed():
        return apprise.INSTALL
    if route.body_template and (problem := webhook.template_problem(route.body_template)):
        return f"{problem}. Correct it in route {route.name!r}"
    wanted = {"email": ("smtp://", "smtps://"), "apprise": ("",)}.get(route.channel, ("https://",))
    is_local = url.startswith("http://") and is_loopback(host_of(url))
    if url and not (url.startswith(wanted) or is_local):
        return f"{route.url_place} does not begin with {' or '.join(wanted)}: correct it"
    return ""
