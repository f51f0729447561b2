from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Directory, Gateway, Section
from openai_costs.settings.load import Settings, load_settings
from openai_costs.settings.secrets_in_use import gateway_key
from openai_costs.sources.registry import connection_kinds

GOOD = """
[[connections]]
name = "acme"
[gateway]
litellm_url = "https://gateway.example/"
key_env = "ACME_GATEWAY_KEY"
start = 2026-02-01
[[gateway.upstreams]]
connection = "acme"
api_key_id = "key_gateway"
[[gateway.allowed]]
api_key_id = "key_loadtest"
reason = "load test"
until = 2026-12-31
[directory]
files = ["people.csv"]
domain_aliases = { "acme-labs.example" = "acme.example" }
[seats]
month_usd = 30
month_usd_by_role = { owner = "60.50" }
"""


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_COSTS_CONFIG", "OPENAI_COSTS_HOME", "ACME_GATEWAY_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Settings:
    Path("openai_costs.toml").write_text(text, encoding="utf-8")
    return load_settings(connection_kinds())


def test_gateway_directory_and_seats_are_read():
    settings = written(GOOD)
    assert settings.gateway.litellm_url == "https://gateway.example"
    assert settings.gateway.start == date(2026, 2, 1)
    assert [one.tokens for one in settings.gateway.upstreams] == [("*",)]
    assert settings.directory.domain_aliases == {"acme-labs.example": "acme.example"}
    assert settings.seats.month_usd_by_role == {"owner": Decimal("60.5")}


@pytest.mark.parametrize(
    "section", ["gateway]\nspend_files", "gateway]\ntoken_files", "directory]\nfiles"]
)
@pytest.mark.parametrize("name", ["s3://ada:s3cret@bucket/a.csv", "https://a.example/?sig=s3cret"])
def test_a_file_whose_name_has_a_secret_is_refused_without_it(section: str, name: str):
    with pytest.raises(SettingsError, match="contains a password or a signature") as refused:
        written(f'[{section} = ["{name}"]')
    assert "s3cret" not in str(refused.value)


def test_without_them_there_is_no_gateway_no_directory_and_no_price():
    settings = load_settings(connection_kinds())
    assert settings.gateway.is_there is False
    assert settings.directory.files == ()
    assert settings.seats.month_usd is None


@pytest.mark.parametrize(
    "source",
    [
        'litellm_url = "https://g.example"',
        'spend_files = ["s.csv"]',
        'token_files = ["t.csv"]',
        '[[gateway.upstreams]]\nconnection = "openai"\nproject_id = "proj_a"',
    ],
)
def test_any_source_of_a_gateway_is_a_gateway(source: str):
    assert written(f"[gateway]\n{source}\n").gateway.is_there


def test_the_tolerance_is_far_below_ten_percent():
    assert Gateway().tolerance_pct < 1
    with pytest.raises(ValueError, match="less than or equal to 5"):
        Gateway(tolerance_pct=Decimal(10))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[gateway]\nurl = "https://g.example"\n', "line 2: [gateway] url "),
        ('[gateway]\nlitellm_url = "http://g.example"\n', "clear text"),
        ('[gateway]\nlitellm_url = "https://me:pw@g.example"\n', "user name or password"),
        ('[gateway]\nkey_env = "sk-1234"\n', "line 2: [gateway] key_env "),
        ('[gateway]\nlitellm_url = "https://g.example"\nspend_files = ["s.csv"]\n', "twice"),
        ('[gateway]\nname = "openai"\n', "line 2: [gateway] name "),
        ("[gateway]\ntolerance_pct = 6\n", "line 2: [gateway] tolerance_pct "),
        ("[gateway]\ncapture_rate_below = 1.1\n", "line 2: [gateway] capture_rate_below "),
        ('[gateway]\nspend_layout = "helicone"\n', "line 2: [gateway] spend_layout "),
        ('[[gateway.upstreams]]\nconnection = "openai"\n', "names neither api_key_id"),
        (
            '[[gateway.upstreams]]\nconnection = "labs"\napi_key_id = "key"\n',
            "names 'labs', which is not in [[conn",
        ),
        (
            '[[gateway.allowed]]\napi_key_id = "key"\nreason = "x"\n',
            "line 1: [[gateway.allowed]] until ",
        ),
        ('[[gateway.allowed]]\napi_key_id = "key"\nreason = ""\nuntil = 2026-12-31\n', "reason"),
        ('[directory]\nfile = "people.csv"\n', "line 2: [directory] file "),
        ("[directory]\nlargest_drop_pct = 0\n", "line 2: [directory] largest_drop_pct "),
        ("[seats]\nmonth_usd = -1\n", "line 2: [seats] month_usd "),
        ('[seats]\nmonth_usd = "thirty"\n', "line 2: [seats] month_usd "),
        ("[seats]\nidle_after_days = 0\n", "line 2: [seats] idle_after_days "),
    ],
)
def test_a_setting_we_cannot_use_is_refused_by_its_name(text: str, named: str):
    with pytest.raises(SettingsError) as refused:
        written(text)
    assert named in str(refused.value)
    assert "openai_costs.toml" in str(refused.value)


def test_the_gateways_key_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch):
    settings = written(GOOD)
    with pytest.raises(SettingsError, match=r"ACME_GATEWAY_KEY.*key_env"):
        gateway_key(settings.gateway)
    monkeypatch.setenv("ACME_GATEWAY_KEY", " sk-gateway-Yw3 \n")
    assert gateway_key(settings.gateway).get_secret_value() == "sk-gateway-Yw3"
    assert "Yw3" not in repr(settings)


@pytest.mark.parametrize(
    ("section", "text", "close"),
    [
        (Directory, {"columns": {"emial": "Mail"}}, "has 'emial'.*mean 'email'"),
        (
            Directory,
            {"files": [{"path": "a.csv", "columns": {"e_mail": "Mail"}}]},
            "has 'e_mail'.*mean 'email'",
        ),
        (
            Gateway,
            {"spend_columns": {"input_token": "prompt_tokens"}},
            "has 'input_token'.*mean 'input_tokens'",
        ),
        (
            Gateway,
            {"token_columns": {"x": "y"}},
            "has 'x', which is not a column. The col",
        ),
    ],
)
def test_a_mistyped_name_of_a_column_is_refused_with_those_there_are(
    section: type[Section], text: dict[str, object], close: str
) -> None:
    with pytest.raises(ValueError, match=close):
        section.model_validate(text)


def test_a_file_of_people_is_a_path_or_a_table_with_one() -> None:
    table = {"path": "hr.csv", "separator": ";", "columns": {"email": "Mail"}}
    plain, own = Directory.model_validate({"files": ["people.csv", table]}).files
    assert (plain.path, plain.columns, plain.separator) == ("people.csv", {}, None)
    assert (own.path, own.columns, own.separator) == ("hr.csv", {"email": "Mail"}, ";")
