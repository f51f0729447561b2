from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from upath import UPath

from openai_costs.cli.findings import Silence, as_json, lines, mute, route_facts, shown
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.alerts.mutes import keep_mute
from openai_costs.outputs.alerts.rounds import look
from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.questions.rules import Facts
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
    first, why, *_ = lines(shown(home))
    assert first == (
        "bbb222  open     critical 412.50 USD, anomalies.spike, api key etl, since 2026-11-18"
    )
    assert why.strip() == "key etl made 34 times as many requests as on other Wednesdays"


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    assert "No finding" in "".join(lines(shown(UPath(tmp_path))))


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
    silence = Silence("known migration", day(30), "Ada")
    said = mute(settings(home), "aaa", silence, day(23))
    assert said == "aaa111 (anomalies.spike) is muted through 2026-11-30: known migration"
    (one,) = (one for one in shown(home, everything=True) if one.finding_id == "aaa111")
    assert (one.state, one.muted_by, one.mute_reason) == ("muted", "Ada", "known migration")
    assert "muted until 2026-11-30" in "".join(lines([one]))


def test_a_mute_of_what_is_over_says_so(home: UPath) -> None:
    said = mute(settings(home), "ccc", Silence("known", day(30)), day(23))
    assert "ccc444 (anomalies.spike) is over; should it come back, it is muted through" in said


@pytest.mark.parametrize("waits", ["sensor", "mute"])
def test_who_waited_for_a_turn_looks_at_the_mutes_of_then(home: UPath, waits: str) -> None:
    """Two at once: else the second would open again what the first has muted, and tell it."""
    lake, said = Lake(home), Silence("known", day(30))

    def second() -> None:
        if waits == "mute":
            mute(settings(home), "bbb222", said, day(23))
        else:
            look(lake, home, Facts(settings(home), NOW))

    with lake.alone(Findings):
        waiting = Thread(target=second)
        waiting.start()
        waiting.join(0.5)
        keep_mute(home, Mute(finding="aaa111", reason="known", until=day(30)), day(23))
        muted = replace(MILD, state="muted", mute_reason="known", muted_until=day(30))
        lake.replace_whole(Findings, findings_frame([muted, BAD]))
    waiting.join(60)
    (one,) = (one for one in shown(home, everything=True) if one.finding_id == "aaa111")
    assert one.state == "muted"


@pytest.mark.parametrize(
    ("name", "silence", "said"),
    [
        ("zzz", Silence("known", day(30)), "There is no finding 'zzz'"),
        ("", Silence("known", day(30)), "There is no finding ''"),
        ("bbb", Silence("known", day(30)), "2 findings begin with 'bbb'"),
        ("aaa", Silence("known", day(22)), "--until 2026-11-22 is over"),
        ("aaa", Silence(" ", day(30)), "needs a reason"),
        ("aaa", Silence("ask ada@acme.example", day(30)), "without an e-mail address"),
        ("aaa", Silence("known", day(30), "ada@acme.example"), "without an e-mail address"),
    ],
)
def test_a_mute_that_cannot_be_says_why(
    home: UPath, name: str, silence: Silence, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        mute(settings(home), name, silence, day(23))


def test_the_doctor_looks_at_routes_and_sends_nothing(
    home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_URL", "https://hooks.example/s3cr3t")
    monkeypatch.setenv("ALERT_SECRET", "s1gning")
    monkeypatch.setenv("BAD_URL", "http://hooks.example/s3cr3t")
    facts = list(
        route_facts(
            settings(
                home,
                route("well", rules=("data.*",)),
                route("typo", rules=("anomalis.*",)),
                route("unset", url_env="NOT_SET"),
                route("clear", url_env="BAD_URL", channel="slack"),
                route("mail", "email"),
            )
        )
    )
    assert [(state, about) for state, about, _ in facts] == [
        ("OK", "alerts: well"),
        ("WARN", "alerts: typo"),
        ("FAIL", "alerts: unset"),
        ("FAIL", "alerts: clear"),
        ("FAIL", "alerts: mail"),
    ]
    said = " ".join(text for *_, text in facts)
    assert "NOT_SET is not set" in said
    assert "BAD_URL does not begin with https://" in said
    assert "s3cr3t" not in said


def test_without_a_route_the_doctor_says_that_nobody_is_told(home: UPath) -> None:
    ((state, _, said),) = route_facts(settings(home))
    assert (state, said) == ("OK", "no route: findings are in mart.findings, nobody is told")
