from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from upath import UPath

from openai_costs.cli.finding_changes import MuteRequest, acknowledge, mute
from openai_costs.cli.findings import (
    as_json,
    lines,
    nothing_found,
    page_of,
    route_facts,
    shown,
    what_to_do,
)
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.alerts.evaluation import NOTHING
from openai_costs.outputs.alerts.mutes import keep_mute, with_mutes
from openai_costs.outputs.alerts.record import record
from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.settings import Alerts, Mute, Route
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.alerts.fixtures import NOW, day, finding, route

MILD = finding(finding_id="aaa111", severity="info", impact_usd=None)
BAD = finding(finding_id="bbb222", severity="critical")
DEAR = finding(finding_id="bbb333", impact_usd=BAD.impact_usd, subject_name=None)
OVER = finding(finding_id="ccc444", state="closed", closed_day=day(22))


@pytest.fixture
def home(tmp_path: Path) -> UPath:
    made = UPath(tmp_path)
    Lake(made).replace_whole(Findings, findings_frame([MILD, DEAR, BAD, OVER]))
    return made


def settings(home: object, *routes: Route) -> Settings:
    return Settings(
        home=str(home),
        config_file=Path("openai_costs.toml"),
        connections=(OpenAIConnection(name="acme"),),
        alerts=Alerts(routes=routes),
    )


def test_open_findings_are_shown_the_worst_first(home: UPath) -> None:
    assert [one.finding_id for one in shown(home)] == ["bbb222", "bbb333", "aaa111"]
    assert len(shown(home, everything=True)) == 4


def test_a_finding_is_shown_with_dollars_and_its_reason(home: UPath) -> None:
    first, why, step, *_ = lines(shown(home))
    assert first == (
        "bbb222  open     critical Spend of API key etl was $412.50 above expected on 2026-11-18"
    )
    assert why.strip() == (
        "The key etl made 34 times as many requests as on other Wednesdays [anomalies.spike]"
    )
    assert step.strip() == (
        "Next step: Ask data-platform whether it is intended: if so, acknowledge it or mute it. "
        "If no one expects it, revoke API key etl (key_etl)."
    )


def test_each_finding_links_to_its_view_and_the_commands_name_an_id(home: UPath) -> None:
    assert not page_of(home)
    shown_with = list(lines(shown(home)[:1], "file:///page.html"))
    assert shown_with[-1].strip().startswith("file:///page.html#by=model&from=2026-11-18")
    assert list(what_to_do(shown(home))) == [
        "To take care of one: openai-costs acknowledge bbb222 --by NAME",
        "To silence one:      openai-costs mute bbb222 --reason WHY --until YYYY-MM-DD",
    ]
    assert all(" bbb222 --home 'my demo' --" in each for each in what_to_do(shown(home), "my demo"))
    assert not list(what_to_do([OVER]))


def test_an_acknowledged_finding_stays_open_under_a_name_until_it_changes(home: UPath) -> None:
    text = acknowledge(settings(home), "aaa", "Ada", day(23))
    assert text == "aaa111 (anomalies.spike) is acknowledged by Ada, until it grows or closes."
    (one,) = (one for one in shown(home) if one.finding_id == "aaa111")
    assert "Acknowledged by Ada on 2026-11-23." in "".join(lines([one]))
    mute(settings(home), "aaa", MuteRequest("known", day(30)), day(23))
    (muted,) = (one for one in shown(home, everything=True) if one.finding_id == "aaa111")
    assert (muted.state, muted.acknowledged_by) == ("muted", None)


@pytest.mark.parametrize(
    ("name", "by", "text"),
    [
        ("zzz", "Ada", "There is no finding 'zzz'"),
        ("ccc", "Ada", "is closed: only an open finding"),
        ("aaa", " ", "--by needs the name"),
        ("aaa", "ada@acme.example", "without an e-mail address"),
        ("aaa", "sk-admin-Tq7ZqLx2vHn9KpW4", "or a key"),
    ],
)
def test_an_acknowledgement_that_cannot_be_used_says_why(
    home: UPath, name: str, by: str, text: str
) -> None:
    with pytest.raises(SettingsError, match=text):
        acknowledge(settings(home), name, by, day(23))


def test_without_an_open_finding_there_is_a_sentence(home: UPath) -> None:
    Lake(home).replace_whole(Findings, findings_frame([OVER]))
    assert list(lines(shown(home))) == []
    assert nothing_found(home).startswith("No finding is open: no day has settled yet")


def test_json_has_every_column_and_every_digit(home: UPath) -> None:
    (one, *_) = as_json(shown(home))
    assert list(one) == list(Findings.types())
    assert (one["impact_usd"], one["day"], one["change"]) == (
        "412.500000000000000000",
        "2026-11-18",
        1,
    )
    assert one["closed_day"] is None


def test_a_mute_shows_at_once(home: UPath) -> None:
    asked = MuteRequest("known migration", day(30), "Ada")
    text = mute(settings(home), "aaa", asked, day(23))
    assert text == "aaa111 (anomalies.spike) is muted through 2026-11-30: known migration"
    (one,) = (one for one in shown(home, everything=True) if one.finding_id == "aaa111")
    assert (one.state, one.muted_by, one.mute_reason) == ("muted", "Ada", "known migration")
    assert "muted through 2026-11-30" in "".join(lines([one]))


def test_a_mute_of_what_is_over_says_so(home: UPath) -> None:
    text = mute(settings(home), "ccc", MuteRequest("known", day(30)), day(23))
    assert "ccc444 (anomalies.spike) is closed. If it opens again, it is muted through" in text


@pytest.mark.parametrize("waits", ["sensor", "mute"])
def test_an_evaluation_that_waited_for_its_turn_sees_the_mutes_of_the_meantime(
    home: UPath, waits: str
) -> None:
    """Two at once: otherwise the second would open again what the first has muted."""
    lake, asked = Lake(home), MuteRequest("known", day(30))

    def second() -> None:
        if waits == "mute":
            mute(settings(home), "bbb222", asked, day(23))
        else:
            with lake.alone(Findings):
                record(lake, NOTHING, with_mutes(Alerts(), home), NOW.date())

    with lake.alone(Findings):
        waiting = Thread(target=second)
        waiting.start()
        waiting.join(0.5)
        keep_mute(home, Mute(finding="aaa111", reason="known", until=day(30)))
        muted = replace(MILD, state="muted", mute_reason="known", muted_until=day(30))
        lake.replace_whole(Findings, findings_frame([muted, BAD]))
    waiting.join(60)
    (one,) = (one for one in shown(home, everything=True) if one.finding_id == "aaa111")
    assert one.state == "muted"


@pytest.mark.parametrize(
    ("name", "asked", "text"),
    [
        ("zzz", MuteRequest("known", day(30)), "There is no finding 'zzz'"),
        ("", MuteRequest("known", day(30)), "There is no finding ''"),
        ("bbb", MuteRequest("known", day(30)), "2 findings begin with 'bbb'"),
        ("aaa", MuteRequest("known", day(22)), "--until 2026-11-22 has passed"),
        ("aaa", MuteRequest(" ", day(30)), "needs a reason"),
        ("aaa", MuteRequest("ask ada@acme.example", day(30)), "may hold an e-mail address"),
        ("aaa", MuteRequest("known", day(30), "ada@acme.example"), "may hold an e-mail address"),
        ("aaa", MuteRequest("rotated sk-admin-Tq7ZqLx2vHn9KpW4", day(30)), "or a key"),
    ],
)
def test_a_mute_that_cannot_be_used_says_why(
    home: UPath, name: str, asked: MuteRequest, text: str
) -> None:
    with pytest.raises(SettingsError, match=text):
        mute(settings(home), name, asked, day(23))


def test_the_doctor_looks_at_routes_and_sends_nothing(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_URL", "https://hooks.example/s3cr3t")
    monkeypatch.setenv("ALERT_SECRET", "s1gning")
    monkeypatch.setenv("BAD_URL", "http://hooks.example/s3cr3t")
    monkeypatch.setitem(sys.modules, "apprise", None)
    facts = list(
        route_facts(
            settings(
                home,
                route("well", rules=("data.*",)),
                route("typo", rules=("anomalis.*",)),
                route("unset", url_env="NOT_SET"),
                route("clear", url_env="BAD_URL", channel="slack"),
                route("mail", "email"),
                route("header", headers_env={"Authorization": "NOT_SET_EITHER"}),
                route("template", body_template="{{ nonsense | tojson }}"),
                route("through", "apprise"),
            )
        )
    )
    assert [(state, about) for state, about, _ in facts] == [
        ("OK", "alerts: well"),
        ("WARN", "alerts: typo"),
        ("FAIL", "alerts: unset"),
        ("FAIL", "alerts: clear"),
        ("FAIL", "alerts: mail"),
        ("FAIL", "alerts: header"),
        ("FAIL", "alerts: template"),
        ("FAIL", "alerts: through"),
    ]
    text = " ".join(one for *_, one in facts)
    assert "NOT_SET is not set" in text
    assert "BAD_URL does not begin with https://" in text
    assert "NOT_SET_EITHER is not set" in text
    assert "'nonsense' is undefined. Correct it in route 'template'" in text
    assert "apprise is not installed: pip install" in text
    assert "s3cr3t" not in text


def test_without_a_route_the_doctor_says_that_no_message_is_sent(home: UPath) -> None:
    ((state, _, text),) = route_facts(settings(home))
    assert (state, text) == (
        "OK",
        "no route, so no message is sent; findings are in mart.findings",
    )


def test_a_route_that_receives_the_weekly_digest_only_is_all_right(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_URL", "https://costs.example")
    monkeypatch.setenv("ALERT_SECRET", "s1gning")
    weekly = route("finance", rules=())
    alerts = Alerts.model_validate({"routes": [weekly], "weekly": {"routes": ["finance"]}})
    made = settings(home).model_copy(update={"alerts": alerts})
    assert [one.state for one in route_facts(made)] == ["OK"]
