from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.errors import MissingKey, OpenAICostsError, SettingsError
from openai_costs.sample.setup import Wanted, company
from openai_costs.settings.load import Settings, load_settings
from openai_costs.settings.read_again import read_again
from openai_costs.settings.secrets import SecretPlace
from openai_costs.settings.secrets_in_use import gateway_key, secret
from openai_costs.sources.openai.settings import DEFAULT_BASE_URL, OpenAIConnection
from openai_costs.sources.registry import connection_kinds

KEY = "sk-admin-Tq7ZqLx2vHn9KpW4"
VARIABLES = ("OPENAI_ADMIN_KEY", "OPENAI_BASE_URL", "OPENAI_COSTS_CONFIG", "OPENAI_COSTS_HOME")
KNOWN_PROVIDERS = ", ".join(one.default_provider() for one in connection_kinds())
UNKNOWN_PROVIDER = f"is not a known provider. Known providers: {KNOWN_PROVIDERS}."


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, "ACME_KEY", "LITELLM_MASTER_KEY", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Settings:
    Path("openai_costs.toml").write_text(text, encoding="utf-8")
    return load_settings(connection_kinds())


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        written(text)
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


def a_team(more: str) -> str:
    return f'[[teams]]\nname = "labs"\n{more}\n'


def test_a_model_may_have_an_at_sign_in_its_id():
    text = '[[budgets]]\nname = "b"\nscope = "model"\nid = "claude-4@20260101"\nlimit_usd = 1\n'
    assert written(text).budgets[0].counted == ("claude-4@20260101",)


def test_how_long_days_are_kept_is_read_and_a_connection_may_differ():
    settings = written(one_connection('retention_months = "forever"') + "[retention]\nmonths = 6\n")
    assert (settings.retention.months, settings.retention.keep_totals) == (6, True)
    assert settings.connections[0].retention_months == "forever"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"[anomalies]\nminimum_usd = {'9' * 5000}", "a number in it is too long"),
        ("[reading\n", "openai_costs.toml, line 1: this is not TOML (expected"),
        ("a = 1\na = 2\n", "openai_costs.toml, line 2: a setting is there twice. Remove one"),
        (
            "[readings]\n",
            "line 1: [readings] is not a known setting; did you mean 'reading'? docs/",
        ),
        ("[reading]\ntrailing_day = 7\n", "line 2: [reading] trailing_day "),
        ("[reading]\ntrailing_days = 0\n", "line 2: [reading] trailing_days "),
        ('[retention]\nmonths = "soon"\n', "line 2: [retention] months must be a whole number of"),
        (one_connection("retention_months = 0"), "line 3: [[connections]] retention_months must"),
        ("[reading]\ntrailing_days = 91\n", "line 2: [reading] trailing_days "),
        ("[reading]\nsettle_hours = -1\n", "line 2: [reading] settle_hours "),
        ("[reading]\nmax_body_mb = 0\n", "line 2: [reading] max_body_mb "),
        ('[reading]\ntrailing_days = "a week"\n', "line 2: [reading] trailing_days "),
        (one_connection("colour = 1"), "line 3: [[connections]] colour "),
        (one_connection('start = "yesterday"'), "line 3: [[connections]] start "),
        *(
            (
                one_connection(f'provider = "{one.default_provider()}"\nstart = 2019-12-31{rest}'),
                "-01-01 or later",
            )
            for one in connection_kinds()
            for rest in ('\nfiles = "b/"\norganization_id = "org-acme"',)
        ),
        (one_connection('access = "everything"'), "line 3: [[connections]] access "),
        (one_connection('provider = "other"'), "line 3: [[connections]] provider "),
        (one_connection('provider = "other"'), UNKNOWN_PROVIDER),
        (
            one_connection("provider = 7"),
            UNKNOWN_PROVIDER,
        ),
        (one_connection("") + one_connection('start = "soon"'), "line 6: [[connections]] start "),
        (one_connection("requests_per_minute = 0"), "line 3: [[connections]] requests_per_minute "),
        (one_connection('base_url = "api.openai.com/v1"'), "line 3: [[connections]] base_url "),
        (one_connection('base_url = "ftp://api.openai.com"'), "line 3: [[connections]] base_url "),
        (one_connection('base_url = ""'), "line 3: [[connections]] base_url "),
        ('[[connections]]\nname = "../acme"\n', "line 2: [[connections]] name "),
        ('[[connections]]\nname = ""\n', "line 2: [[connections]] name "),
        ('[[connections]]\naccess = "full"\n', "line 1: [[connections]] name is required"),
        ('connections = "acme"\n', "line 1: connections must have a header with two pairs of"),
        (
            '[connections]\nname = "acme"\n',
            "line 1: [connections] must have a header with two pairs",
        ),
        (
            "[alerts.routes]\n",
            "line 1: [alerts] routes must have a header with two pairs of brackets: ",
        ),
        ("[[reading]]\n", "line 1: [reading] must have a header with one pair"),
        ("[reading]\n[reading]\n", "line 2: the section [reading] is there twice. Merge the two."),
        ("[reading\n", "Text needs quotes"),
        (
            "trailing_days = 7\n",
            "line 1: trailing_days belongs to [reading]: move it below that header",
        ),
        ("[alerts]\nroutes = [1]\n", "line 2: [alerts] routes (entry 1) must be a table"),
        (
            "[directory]\nignore_plus_tags = 7\n",
            "[directory] ignore_plus_tags must be true or false",
        ),
        ('[directory]\nservice_accounts = "bot"\n', "service_accounts must be a list, in square"),
        ("[gateway]\nmodels = 7\n", "[gateway] models must be a table"),
        (
            '[seats]\nmonth_usd = "30 USD"\n',
            "month_usd must be a decimal number, without a currency",
        ),
        (one_connection("organization_id = 7"), "organization_id must be text, in quotes"),
        (one_connection('admin_key = "x"'), "line 3: [[connections]] admin_key is not a known"),
        (one_connection('admin_key = "x"'), "did you mean 'admin_key_env'?"),
        (one_connection("start = 2026-01-01T10:00:00"), "start must be a day, without quotes"),
        (one_connection("start = 01-31-2026"), "A day is written as 2026-01-31."),
        (one_connection("start = 2026-31-01"), "line 3: this is not TOML (expected newline"),
        (
            one_connection("") + one_connection(""),
            "'acme' is the name of another connection",
        ),
        (
            a_team('users = ["ana@acme.example"]'),
            "line 3: [[teams]] users (entry 1) is an e-mail address",
        ),
        *(
            (
                a_team("").replace("labs", name),
                "line 2: [[teams]] name is what dollars of no team are called",
            )
            for name in ("~none", "(none)", "(no team)")
        ),
        *(
            (text, f" {text.split()[-3]} must be a whole number, without quotes: 7")
            for text in (
                "[reading]\ntrailing_days = true",
                "[reading]\nsettle_hours = false",
                "[seats]\nidle_after_days = true",
                "[alerts]\nfresh_days = true",
                "[gateway]\nrequests_per_minute = true",
                one_connection("requests_per_minute = true").strip(),
                one_connection(
                    'provider = "focus_file"\nfiles = "b/"\nsettled_after_days = true'
                ).strip(),
            )
        ),
        (a_team('projects = [" "]'), "line 3: [[teams]] projects (entry 1) is empty"),
        (
            a_team('owner = "x"'),
            "line 3: [[teams]] owner is not a known setting. Known here: api_keys, ",
        ),
        (
            a_team("") * 2,
            "line 5: [[teams]] name 'labs' is the name of another team too: rename one. The oth",
        ),
        (
            a_team('users = ["u", "u"]'),
            "[[teams]] users (entry 2) of team labs is u, which is here already: keep it once",
        ),
        (
            a_team('users = ["u"]') + a_team('users = ["u"]').replace("labs", "desk"),
            "users (entry 1) of team desk is u, which is in team labs already: keep it once. Th",
        ),
        ('[[budgets]]\nname = "b"\nscope = "user"\nid = "a@b.example"\nlimit_usd = 1\n', "line 4"),
        ("[alerts]\nfresh_days = 0\n", "line 2: [alerts] fresh_days "),
        ("[alerts]\ngrowing_factor = 1\n", "line 2: [alerts] growing_factor "),
        ('[alerts]\ndagster_url = "d.example"\n', "line 2: [alerts] dagster_url "),
        (a_route('channel = "fax"'), "line 3: [[alerts.routes]] channel "),
        (
            a_route('channel = "slack"'),
            "line 1: [[alerts.routes]] needs url_env, because route 'a' goes to slack",
        ),
        (a_route('channel = "webhook"\nurl_env = "U"'), "needs secret_env"),
        (a_route('channel = "email"\nurl_env = "U"\nsender = "s"'), "needs to"),
        (
            a_route('channel = "slack"\nurl_env = "https://hooks"'),
            "line 4: [[alerts.routes]] url_env must be the name of an environment variable",
        ),
        (
            a_route('channel = "pagerduty"\nsecret_env = "K"\ndigest = true'),
            "line 5: [[alerts.routes]] digest is not",
        ),
        (a_route('channel = "webhook"\nbody_template = "{}"'), "needs url_env"),
        (
            "[alerts.weekly]\nroutes = ['b']\n",
            "line 2: [alerts] weekly.routes names route 'b', which [[alerts.routes]] does not have",
        ),
        (
            a_route('channel = "pagerduty"\nsecret_env = "K"\n[alerts.weekly]\nroutes = ["a"]'),
            "[alerts] weekly.routes names route 'a', which keeps incidents",
        ),
        (
            a_route('channel = "slack"\nurl_env = "U"\nrules = []'),
            "line 5: [[alerts.routes]] rules is empty in route 'a', which would receive nothing",
        ),
        (
            a_route('channel = "webhook"\nurl_env = "U"\nbody_template = "{}"\ndigest = true'),
            "line 6: [[alerts.routes]] digest is not possible",
        ),
        (
            a_route('channel = "slack"\nurl_env = "U"\nheaders = { X-Scope-OrgID = "a" }'),
            "[[alerts.routes]] headers is only for a webhook, and route 'a' goes to slack: remove",
        ),
        (
            a_route(
                'channel = "webhook"\nurl_env = "U"\nbody_template = "{}"\n'
                'headers = { Authorization = "Bearer s3cr3t" }'
            ),
            "headers.Authorization may hold a secret: export its value, and name the variable in",
        ),
        (
            a_route('channel = "slack"\nurl_env = "U"') * 2,
            "name 'a' is the name of another route too",
        ),
        (a_mute('until = 2026-12-01\nreason = "x"'), "would mute everything"),
        (a_mute('finding = "f"\nuntil = 2026-12-01'), "line 1: [[alerts.mutes]] reason "),
        (a_mute('finding = "f"\nuntil = "soon"\nreason = "x"'), "line 3: [[alerts.mutes]] until "),
    ],
)
def test_a_setting_we_cannot_use_is_refused_by_its_name(text: str, named: str):
    sentence = refusal(text)
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
    place = SecretPlace("env", "SLACK_URL", "url_env")
    assert secret(place, "Route 'a'").get_secret_value() == "https://hooks.example/x"
    monkeypatch.setenv("SLACK_URL", "")
    with pytest.raises(
        SettingsError, match=r"SLACK_URL is not set\. Route 'a' names it: export it"
    ):
        secret(place, "Route 'a'")


@pytest.mark.parametrize("key", ["home", "config_file", "only_connections"])
def test_the_file_cannot_say_what_only_the_environment_says(key: str):
    text = refusal(f'{key} = "elsewhere"\n')
    assert text.startswith(f"openai_costs.toml, line 1: {key} is not a setting of this file. ")


def test_a_file_that_is_not_text_is_refused_in_a_sentence():
    Path("openai_costs.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"openai_costs\.toml cannot be read: .*\."):
        load_settings(connection_kinds())


def test_a_folder_in_place_of_the_file_is_refused_in_a_sentence():
    Path("openai_costs.toml").mkdir()
    with pytest.raises(SettingsError, match=r"openai_costs\.toml cannot be read: .*\."):
        load_settings(connection_kinds())


def test_a_bad_address_from_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "not an address")
    with pytest.raises(
        SettingsError, match=r"^OPENAI_BASE_URL must be a web address: .* Correct the variable\."
    ):
        load_settings(connection_kinds())


def test_an_unknown_connection_is_refused_with_the_known_ones():
    settings = written(one_connection('[[connections]]\nname = "labs"\nadmin_key_env = "LABS_KEY"'))
    with pytest.raises(SettingsError, match=r"'acmee'.*acme, labs"):
        settings.connection("acmee")


def test_a_missing_key_names_every_place_searched_and_the_demo():
    settings = written(one_connection('admin_key_env = "ACME_KEY"'))
    with pytest.raises(MissingKey) as missing:
        settings.admin_key(settings.connection("acme"))
    for text in ("'acme'", "ACME_KEY", "openai_costs.toml (found)", "openai-costs demo"):
        assert text in str(missing.value)


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


@pytest.mark.parametrize(
    "text",
    [
        f'{KEY} = "x"',
        f'["{KEY}"]',
        f'[reading]\n{KEY} = "x"',
        one_connection(f'{KEY} = "x"'),
        f'[gateway.spend_columns]\n{KEY} = "x"',
        f"[gateway.models]\n{KEY} = 7",
        f"[{KEY}]\n[{KEY}]",
        f'[[budgets]]\nname = "b"\nconnection = "{KEY}"\nlimit_usd = 1',
    ],
)
def test_a_key_in_the_place_of_a_name_is_shown_by_its_kind_alone(text: str):
    sentence = refusal(text)
    assert KEY not in sentence
    assert "sk-[redacted]" in sentence


def test_no_name_is_proposed_that_the_file_cannot_have():
    sentence = refusal("colour = 1")
    assert "Known here: alerts, " in sentence
    for name in ("home", "config_file", "only_connections"):
        assert f" {name}" not in sentence
    assert "did you mean" not in refusal('homes = "elsewhere"')


def test_the_sample_organization_needs_no_key_of_ours():
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    settings = company(Path("data"), Wanted(30), now=noon, kinds=connection_kinds()).settings
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
    with pytest.raises(SettingsError, match="'missing'"):
        settings.only("missing")


def test_a_budget_of_a_team_that_is_not_there_is_refused():
    a_budget = '[[budgets]]\nname = "b"\nlimit_usd = 9\nscope = "team"\nid = "lab"\n'
    assert (
        "line 8: [[budgets]] id of budget 'b' names the team 'lab', which is not in [[teams]]; "
        "did you mean 'labs'? There are: labs."
    ) in refusal(a_team("") + a_budget)
    assert "[[teams]]. There are: none." in refusal(a_budget)
    assert written(a_team("") + a_budget.replace('"lab"', '"labs"')).budgets


def test_a_budget_of_a_budget_file_is_named_where_the_settings_have_no_line_for_it():
    Path("b.csv").write_text("name,scope,id,limit_usd\nb,team,lab,9\n", encoding="utf-8")
    text = refusal('budgets_file = "b.csv"\n' + a_team(""))
    assert text.startswith("openai_costs.toml: [[budgets]] id of budget 'b' names the team 'lab'")


@pytest.mark.parametrize(
    ("pasted", "fault"),
    [
        (f'"{KEY}"', "has quotation marks around it. Export it without them."),
        (f"\u201c{KEY}\u201d", "has quotation marks around it."),
        (f"Bearer {KEY}", "has the words of a header in front of it. Export the key alone."),
        (f"Authorization: Bearer {KEY}", "has the words of a header in front of it."),
        (f"{KEY[:9]}\n{KEY[9:]}", "has a line break, a space or a character that no key has."),
        (f"{KEY} # acme", "Copy it as one line."),
        (f"{KEY}\u2026", "Copy it as one line."),
    ],
)
def test_a_key_that_was_copied_with_something_else_is_refused_without_a_request(
    monkeypatch: pytest.MonkeyPatch, pasted: str, fault: str
):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", pasted)
    monkeypatch.setenv("LITELLM_MASTER_KEY", pasted)
    settings = load_settings(connection_kinds())
    with pytest.raises(SettingsError) as of_provider:
        settings.admin_key(settings.connections[0])
    with pytest.raises(SettingsError) as of_gateway:
        gateway_key(settings.gateway)
    who = ("Connection 'openai': the key in OPENAI_ADMIN_KEY", "the key in LITELLM_MASTER_KEY")
    for refused, place in zip((of_provider, of_gateway), who, strict=True):
        assert f"{place} {fault}" in str(refused.value) or str(refused.value).endswith(fault)
        assert KEY[9:] not in str(refused.value)


def test_a_home_with_a_settings_file_has_settings_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    Path("openai_costs.toml").write_text("[reading]\ntrailing_days = 3\n", encoding="utf-8")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/openai_costs.toml").write_text("[reading]\ntrailing_days = 5\n")
    of_demo = load_settings(connection_kinds(), "demo")
    assert (of_demo.home, of_demo.reading.trailing_days) == ("demo", 5)
    assert of_demo.config_file == tmp_path / "demo/openai_costs.toml"
    assert load_settings(connection_kinds(), "elsewhere").reading.trailing_days == 3
    assert load_settings(connection_kinds(), "s3://demo").reading.trailing_days == 3
    monkeypatch.setenv("OPENAI_COSTS_HOME", "demo")
    assert load_settings(connection_kinds()).reading.trailing_days == 5
    monkeypatch.setenv("OPENAI_COSTS_CONFIG", "openai_costs.toml")
    assert load_settings(connection_kinds()).reading.trailing_days == 3


def test_a_variable_that_names_no_file_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_COSTS_CONFIG", "gone.toml")
    with pytest.raises(SettingsError, match=r"names gone\.toml, which does not exist\. Correct or"):
        load_settings(connection_kinds())


@pytest.mark.parametrize("more", ['connection = "acne"', 'scope = "connection"\nid = "acne"'])
def test_a_budget_of_a_connection_that_is_not_there_is_refused(more: str) -> None:
    a_budget = f'[[budgets]]\nname = "all"\nlimit_usd = 9\n{more}\n'
    assert (
        "of budget 'all' names the connection 'acne', which is not in [[connections]]; did you "
        "mean 'acme'? There are: acme."
    ) in refusal(one_connection("") + a_budget)
    assert written(one_connection("") + a_budget.replace("acne", "acme")).budgets


def test_settings_are_read_again_as_their_file_has_them_now() -> None:
    before = written(one_connection("start = 2026-01-01"))
    Path("openai_costs.toml").write_text(one_connection("start = 2026-02-01"), encoding="utf-8")
    after = read_again(before, connection_kinds())
    assert (after.first_day, after.home) == (date(2026, 2, 1), before.home)
    Path("openai_costs.toml").unlink()
    assert read_again(before, connection_kinds()) is before
