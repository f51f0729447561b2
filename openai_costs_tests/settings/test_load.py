from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.errors import MissingKey, OpenAICostsError, SettingsError
from openai_costs.sample.setup import company
from openai_costs.settings.load import Settings, load_settings, secret
from openai_costs.sources.openai.settings import DEFAULT_BASE_URL, OpenAIConnection
from openai_costs.sources.registry import connection_kinds

KEY = "sk-admin-Tq7ZqLx2vHn9KpW4"
VARIABLES = ("OPENAI_ADMIN_KEY", "OPENAI_BASE_URL", "OPENAI_COSTS_CONFIG", "OPENAI_COSTS_HOME")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, "ACME_KEY", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def written(said: str) -> Settings:
    Path("openai_costs.toml").write_text(said, encoding="utf-8")
    return load_settings(connection_kinds())


def refusal(said: str) -> str:
    with pytest.raises(SettingsError) as refused:
        written(said)
    return str(refused.value)


def one_connection(more: str) -> str:
    return f'[[connections]]\nname = "acme"\n{more}\n'


def a_route(more: str) -> str:
    return f'[[alerts.routes]]\nname = "a"\n{more}\n'


def a_mute(more: str) -> str:
    return f"[[alerts.mutes]]\n{more}\n"


def test_an_empty_environment_gives_one_connection_and_every_default():
    settings = load_settings(connection_kinds())
    assert [(one.name, one.base_url) for one in settings.connections] == [
        ("openai", DEFAULT_BASE_URL)
    ]
    assert settings.connections[0].admin_key_env == "OPENAI_ADMIN_KEY"
    assert settings.home == "./data"
    assert settings.reading.trailing_days == 7
    assert settings.reading.grace == timedelta(hours=24)


def test_the_environment_says_where_the_api_the_home_and_the_file_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1/")
    monkeypatch.setenv("OPENAI_COSTS_HOME", "s3://bucket/costs")
    monkeypatch.setenv("OPENAI_COSTS_CONFIG", "elsewhere.toml")
    (tmp_path / "elsewhere.toml").write_text("[reading]\ntrailing_days = 14\n")
    settings = load_settings(connection_kinds())
    assert settings.connections[0].base_url == "http://127.0.0.1:8080/v1"
    assert settings.home == "s3://bucket/costs"
    assert settings.reading.trailing_days == 14
    assert settings.config_file == tmp_path / "elsewhere.toml"


def test_a_file_without_connections_keeps_the_connection_of_the_environment():
    assert [one.name for one in written("[reading]\nmax_body_mb = 8\n").connections] == ["openai"]


def test_a_connection_says_everything_about_itself():
    settings = written(
        one_connection(
            'admin_key_env = "ACME_KEY"\naccess = "costs_only"\norganization_id = "org-acme"\n'
            'start = 2026-01-01\nbase_url = "https://proxy.example/v1"\nrequests_per_minute = 30'
        )
    )
    assert settings.connection("acme") == OpenAIConnection(
        name="acme",
        admin_key_env="ACME_KEY",
        access="costs_only",
        organization_id="org-acme",
        start=date(2026, 1, 1),
        base_url="https://proxy.example/v1",
        requests_per_minute=30,
    )


def test_history_begins_with_the_earliest_connection():
    labs = 'name = "labs"\nadmin_key_env = "LABS_KEY"\nstart = 2025-03-01'
    start = f"start = 2025-06-01\n[[connections]]\n{labs}"
    assert written(one_connection(start)).first_day == date(2025, 3, 1)


def a_team(said: str) -> str:
    return f'[[teams]]\nname = "labs"\n{said}\n'


def test_a_model_may_have_an_at_sign_in_its_id():
    said = '[[budgets]]\nname = "b"\nscope = "model"\nid = "claude-4@20260101"\nlimit_usd = 1\n'
    assert written(said).budgets[0].counted == ("claude-4@20260101",)


def test_sections_of_later_versions_are_accepted_and_named():
    assert written("[retention]\nmonths = 12\n").unread_sections == ("retention",)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("[reading\n", "openai_costs.toml cannot be read"),
        ("a = 1\na = 2\n", "openai_costs.toml cannot be read"),
        ("[readings]\n", "readings"),
        ("[reading]\ntrailing_day = 7\n", "reading.trailing_day"),
        ("[reading]\ntrailing_days = 0\n", "reading.trailing_days"),
        ("[reading]\ntrailing_days = 91\n", "reading.trailing_days"),
        ("[reading]\nsettle_hours = -1\n", "reading.settle_hours"),
        ("[reading]\nmax_body_mb = 0\n", "reading.max_body_mb"),
        ('[reading]\ntrailing_days = "a week"\n', "reading.trailing_days"),
        (one_connection("colour = 1"), "connections.0.colour"),
        (one_connection('start = "yesterday"'), "connections.0.start"),
        (one_connection("start = 2019-12-31"), "2020-01-01"),
        (one_connection('access = "everything"'), "connections.0.access"),
        (one_connection('provider = "other"'), "connections.0.provider (line 3)"),
        (one_connection('provider = "other"'), "no provider 'other'; there are: openai"),
        (one_connection("provider = 7"), "no provider 7; there are: openai"),
        (one_connection("") + one_connection('start = "soon"'), "connections.1.start (line 6)"),
        (one_connection("requests_per_minute = 0"), "connections.0.requests_per_minute"),
        (one_connection('base_url = "api.openai.com/v1"'), "connections.0.base_url"),
        (one_connection('base_url = "ftp://api.openai.com"'), "connections.0.base_url"),
        (one_connection('base_url = ""'), "connections.0.base_url"),
        ('[[connections]]\nname = "../acme"\n', "connections.0.name"),
        ('[[connections]]\nname = ""\n', "connections.0.name"),
        ('[[connections]]\naccess = "full"\n', "connections.0.name"),
        ('connections = "acme"\n', "connections"),
        (one_connection("") + one_connection(""), "same name: acme"),
        (a_team('users = ["ana@acme.example"]'), "teams.0.users.0 (line 3): is an e-mail address"),
        (a_team('projects = [" "]'), "teams.0.projects.0 (line 3): is empty"),
        (a_team('owner = "x"'), "teams.0.owner (line 3): is not a setting that is known here"),
        (a_team("") * 2, "teams have the same name: labs"),
        (a_team('users = ["u", "u"]'), "teams: u is in users of labs twice; keep it once"),
        (
            a_team('users = ["u"]') + a_team('users = ["u"]').replace("labs", "desk"),
            "teams: u is in users of labs and desk; keep it once",
        ),
        ('[[budgets]]\nname = "b"\nscope = "user"\nid = "a@b.example"\nlimit_usd = 1\n', "line 4"),
        ("[alerts]\nfresh_days = 0\n", "alerts.fresh_days (line 2)"),
        ("[alerts]\ngrowing_factor = 1\n", "alerts.growing_factor (line 2)"),
        ('[alerts]\ndagster_url = "d.example"\n', "alerts.dagster_url (line 2)"),
        (a_route('channel = "fax"'), "alerts.routes.0.channel (line 3)"),
        (a_route('channel = "slack"'), "(line 1): route 'a' (slack) needs url_env"),
        (a_route('channel = "webhook"\nurl_env = "U"'), "needs secret_env"),
        (a_route('channel = "email"\nurl_env = "U"\nsender = "s"'), "needs to"),
        (a_route('channel = "slack"\nurl_env = "https://hooks"'), "routes.0.url_env (line 4)"),
        (a_route('channel = "pagerduty"\nsecret_env = "K"\ndigest = true'), "remove digest"),
        (a_route('channel = "webhook"\nbody_template = "{}"'), "needs url_env"),
        (
            a_route('channel = "webhook"\nurl_env = "U"\nbody_template = "{}"\ndigest = true'),
            "remove digest",
        ),
        (
            a_route('channel = "slack"\nurl_env = "U"\nheaders = { X-Scope-OrgID = "a" }'),
            "route 'a': headers is only for a webhook; remove it",
        ),
        (
            a_route(
                'channel = "webhook"\nurl_env = "U"\nbody_template = "{}"\n'
                'headers = { Authorization = "Bearer s3cr3t" }'
            ),
            "the header Authorization may hold a secret; put its value into a variable",
        ),
        (a_route('channel = "slack"\nurl_env = "U"') * 2, "two routes are called 'a'"),
        (a_mute('until = 2026-12-01\nreason = "x"'), "would mute everything"),
        (a_mute('finding = "f"\nuntil = 2026-12-01'), "alerts.mutes.0.reason"),
        (a_mute('finding = "f"\nuntil = "soon"\nreason = "x"'), "alerts.mutes.0.until (line 3)"),
    ],
)
def test_a_setting_we_cannot_use_is_refused_by_its_name(said: str, named: str):
    sentence = refusal(said)
    assert named in sentence
    assert "openai_costs.toml" in sentence


def test_routes_and_mutes_are_read_with_their_defaults():
    alerts = written(
        a_route('channel = "slack"\nurl_env = "SLACK_URL"\nrules = ["anomalies.*"]')
        + a_mute('rule = "seats.*"\nuntil = 2026-12-31\nreason = "until the audit"')
    ).alerts
    (route,) = alerts.routes
    assert (route.url_env, route.rules, route.min_severity) == (
        "SLACK_URL",
        ("anomalies.*",),
        "info",
    )
    assert (route.digest, route.allow_email) == (False, False)
    assert alerts.mutes[0].by == "openai_costs.toml"
    assert (alerts.growing_factor, alerts.growing_step_usd) == (Decimal("1.5"), Decimal(10))


def test_a_secret_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SLACK_URL", " https://hooks.example/x ")
    assert secret("SLACK_URL", "Route 'a'").get_secret_value() == "https://hooks.example/x"
    monkeypatch.setenv("SLACK_URL", "")
    with pytest.raises(
        SettingsError, match=r"SLACK_URL is not set\. Route 'a' names it: export it"
    ):
        secret("SLACK_URL", "Route 'a'")


@pytest.mark.parametrize("key", ["home", "config_file", "unread_sections", "only_connection"])
def test_the_file_cannot_say_what_only_the_environment_says(key: str):
    assert key in refusal(f'{key} = "elsewhere"\n')


def test_a_file_that_is_not_text_is_refused_in_a_sentence():
    Path("openai_costs.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(connection_kinds())


def test_a_folder_in_place_of_the_file_is_refused_in_a_sentence():
    Path("openai_costs.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(connection_kinds())


def test_a_bad_address_from_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "not an address")
    with pytest.raises(SettingsError, match="base_url"):
        load_settings(connection_kinds())


def test_an_unknown_connection_is_answered_with_the_known_ones():
    settings = written(one_connection('[[connections]]\nname = "labs"\nadmin_key_env = "LABS_KEY"'))
    with pytest.raises(SettingsError, match=r"'acmee'.*acme, labs"):
        settings.connection("acmee")


def test_a_missing_key_names_every_place_looked_at_and_the_demo():
    settings = written(one_connection('admin_key_env = "ACME_KEY"'))
    with pytest.raises(MissingKey) as missing:
        settings.admin_key(settings.connection("acme"))
    for said in ("'acme'", "ACME_KEY", "openai_costs.toml (found)", "openai-costs demo"):
        assert said in str(missing.value)


def test_a_missing_key_says_that_there_is_no_file_either():
    settings = load_settings(connection_kinds())
    with pytest.raises(MissingKey, match=r"OPENAI_ADMIN_KEY.*openai_costs\.toml \(not found\)"):
        settings.admin_key(settings.connections[0])


@pytest.mark.parametrize("blank", ["", "   ", "\n"])
def test_a_blank_key_is_a_missing_key(monkeypatch: pytest.MonkeyPatch, blank: str):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", blank)
    settings = load_settings(connection_kinds())
    with pytest.raises(MissingKey):
        settings.admin_key(settings.connections[0])


def test_a_rotated_key_is_seen_without_loading_the_settings_again(monkeypatch: pytest.MonkeyPatch):
    settings = load_settings(connection_kinds())
    for key in ("sk-admin-yesterday", "sk-admin-today\n"):
        monkeypatch.setenv("OPENAI_ADMIN_KEY", key)
        found = settings.admin_key(settings.connections[0])
        assert found.get_secret_value() == key.strip()


def test_a_key_is_in_no_text_made_of_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    settings = load_settings(connection_kinds())
    key = settings.admin_key(settings.connections[0])
    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(key), str(key)):
        assert KEY not in text


@pytest.mark.parametrize(
    "more",
    [
        f'admin_key = "{KEY}"',
        f'admin_key_env = "{KEY}"',
        f'base_url = "https://someone:{KEY}@proxy.example/v1"',
        f'base_url = "{KEY}"',
        f'organization_id = ["{KEY}"]',
    ],
)
def test_a_key_written_into_the_file_is_shown_by_no_sentence(more: str):
    shown: list[object] = []
    try:
        shown.append(settings := written(one_connection(more)))
        settings.admin_key(settings.connection("acme"))
    except OpenAICostsError as refused:
        shown.append(refused)
    assert KEY not in f"{shown} {' '.join(map(str, shown))}"


def test_the_sample_organisation_needs_no_key_of_ours():
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    settings = company(Path("data"), seed=7, days=30, now=noon, kinds=connection_kinds()).settings
    sample = settings.connection("sample")
    assert sample.is_sample
    assert sample.first_day == date(2026, 2, 8)
    assert settings.admin_key(sample).get_secret_value() == "sk-admin-sample"


def test_settings_cannot_be_changed_after_they_were_checked():
    settings = load_settings(connection_kinds())
    with pytest.raises(ValueError, match="frozen"):
        settings.home = "elsewhere"  # type: ignore[misc]


def test_a_process_may_read_one_connection_only():
    settings = written(one_connection('[[connections]]\nname = "labs"\nadmin_key_env = "LABS_KEY"'))
    assert [one.name for one in settings.asked_connections] == ["acme", "labs"]
    assert [one.name for one in settings.only("labs").asked_connections] == ["labs"]
    with pytest.raises(SettingsError, match="'nobody'"):
        settings.only("nobody")


@pytest.mark.parametrize("more", ['connection = "acne"', 'scope = "connection"\nid = "acne"'])
def test_a_budget_of_a_connection_that_is_not_there_is_refused(more: str) -> None:
    a_budget = f'[[budgets]]\nname = "all"\nlimit_usd = 9\n{more}\n'
    said = refusal(one_connection("") + a_budget)
    assert "budget 'all' names the connection 'acne', which does not exist; there are: acme" in said
    assert written(one_connection("") + a_budget.replace("acne", "acme")).budgets
