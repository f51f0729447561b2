"""What the commands findings and doctor show about findings and routes; prints nothing."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from upath import UPath

from openai_costs.cli.empty_home import refuse_empty
from openai_costs.cli.home_settings import option_of
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.hosts import is_loopback
from openai_costs.outputs.alerts.channels import apprise, webhook
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.outputs.alerts.rules import all_rules, find_rule
from openai_costs.outputs.alerts.titles import next_step_of, one_line, title_of
from openai_costs.outputs.finding_view import view_of
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.outputs.report.judged import what_was_judged
from openai_costs.settings import Route
from openai_costs.settings.addresses import host_of
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import secret
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import OPEN, Findings, worst_first
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.mart.seats import Seats

_INDENT = " " * 14


def shown(home: UPath, *, everything: bool = False) -> list[Finding]:
    """Return the findings to show, by severity, then by dollars; by default only the open ones.

    Raises:
        NothingStored: Nothing was evaluated in this home yet.
    """
    refuse_empty(home, "findings")
    found = rows(Finding, worst_first(Lake(home).read(Findings)))
    return [one for one in found if everything or one.state in OPEN]


def nothing_found(home: UPath) -> str:
    """Return what was looked for in a home where no finding is open."""
    lake = Lake(home)
    read = (lake.read(one) for one in (Coverage, BudgetStatus, GatewayCapture, Seats))
    return what_was_judged(*read).no_finding


def lines(findings: list[Finding], page: str = "") -> Iterator[str]:
    """Yield findings as text: the id and the title, then the reason, the next step and the rule.

    Args:
        findings: The findings.
        page: The file of the page; empty where there is none to link to.
    """
    for one in findings:
        rule, state = find_rule(one.rule), one.state
        if one.state == "muted":
            state = f"muted through {one.muted_until}"
        yield f"{one.finding_id}  {state:<8} {one.severity:<8} {title_of(one, rule)}"
        yield f"{_INDENT}{one_line(one.because)} [{one.rule}]"
        if one.state in OPEN and (step := next_step_of(one, rule)):
            yield f"{_INDENT}Next step: {step}"
        if one.acknowledged_by:
            yield f"{_INDENT}Acknowledged by {one.acknowledged_by} on {one.acknowledged_day}."
        if page:
            yield f"{_INDENT}{page}{view_of(one)}"


def what_to_do(findings: list[Finding], home: str | None = None) -> Iterator[str]:
    """Yield the commands about the first open finding, as an example for the others.

    Args:
        findings: The findings.
        home: The home that the command was given, which these commands need as well.
    """
    if first := next((one.finding_id for one in findings if one.state in OPEN), ""):
        one = f"{first}{option_of(home)}"
        yield f"To take care of one: openai-costs acknowledge {one} --by NAME"
        yield f"To silence one:      openai-costs mute {one} --reason WHY --until YYYY-MM-DD"


def page_of(home: UPath) -> str:
    """Return the file of a home's page as an address; empty where there is none."""
    return (home / PAGE).absolute().as_uri() if (home / PAGE).exists() else ""


def as_json(findings: list[Finding]) -> list[dict[str, object]]:
    """Return findings for programs: amounts and days as text."""
    return [{name: _plain(getattr(one, name)) for name in Findings.types()} for one in findings]


def _plain(value: object) -> object:
    return str(value) if isinstance(value, (Decimal, date)) else value


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
        elif route.rules and not any(map(route.wants_rule, known)):
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
