import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from openai_costs.kernel.errors import OpenAICostsError, SettingsError
from openai_costs.settings import secrets
from openai_costs.settings.load import Settings, load_settings
from openai_costs.settings.secrets import SecretPlace, held_in
from openai_costs.settings.secrets_in_use import gateway_key
from openai_costs.sources.registry import connection_kinds

KEY = "sk-admin-Tq7ZqLx2vHn9KpW4"
ACME = '[[connections]]\nname = "acme"\n'
PYTHON = f'"{sys.executable}", "-c"'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(more: str) -> Settings:
    Path("openai_costs.toml").write_text(ACME + more + "\n")
    return load_settings(connection_kinds())


def key_of(settings: Settings) -> str:
    return settings.admin_key(settings.connections[0]).get_secret_value()


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(OpenAICostsError) as refused:
        ask()
    assert KEY not in str(refused.value)
    return str(refused.value)


def printing(code: str) -> SecretPlace:
    return SecretPlace("command", (sys.executable, "-c", code), "admin_key_command")


def test_a_key_in_a_file_is_read_anew_so_a_rotated_one_needs_no_restart(folder: Path):
    settings = written(f'admin_key_file = "{folder}/key"')
    assert "the file" in refusal(lambda: key_of(settings))
    (folder / "key").write_text(f"{KEY}\n")
    assert key_of(settings) == KEY
    (folder / "key").write_text("\ufeffsk-admin-rotated\r\n", encoding="utf-8")
    assert key_of(settings) == "sk-admin-rotated"


def test_a_key_is_what_a_command_prints_and_its_errors_are_not_shown():
    code = f"import sys; print('{KEY}'); print('s3cret', file=sys.stderr)"
    assert held_in(printing(code), os.environ.__getitem__) == KEY
    failing = printing("import sys; print('s3cret', file=sys.stderr); print('s3cret'); exit(3)")
    said = refusal(lambda: held_in(failing, os.environ.__getitem__))
    assert "ended with exit code 3. Run it by hand to see what it says." in said
    assert "s3cret" not in said


def test_a_command_is_run_once_for_a_reading_and_again_for_the_next(folder: Path):
    code = "import sys; f = open('count', 'a'); f.write('x'); print('sk-admin-of-command')"
    settings = written(f'admin_key_command = [{PYTHON}, "{code}"]')
    for _reading in range(2):
        read = settings.key_reader(settings.connections[0])
        assert {read().get_secret_value() for _request in range(3)} == {"sk-admin-of-command"}
    assert (folder / "count").read_text() == "xx"


def test_the_words_of_a_command_are_not_a_line_of_a_shell(folder: Path):
    settings = written('admin_key_command = ["echo", "$HOME; touch pwned"]')
    assert "has a line break, a space" in refusal(lambda: key_of(settings))
    assert not (folder / "pwned").exists()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import time; time.sleep(60)", "it had not ended after 1 s"),
        ("import os, time; os.close(1); time.sleep(60)", "it had not ended after 1 s"),
        ("import os, time; os.fork() or time.sleep(60)", "it had not ended after 1 s"),
        ("while True: print('x' * 4096)", "it has more than 65,536 bytes"),
        ("pass", "it is empty"),
        (r"import sys; sys.stdout.buffer.write(b'\xff\xfe')", "it is not UTF-8 text"),
    ],
)
def test_a_command_that_prints_no_key_is_ended_and_named(
    monkeypatch: pytest.MonkeyPatch, code: str, why: str
):
    monkeypatch.setattr(secrets, "LONGEST", 1.0 if "sleep" in code else 20.0)
    began = time.monotonic()
    said = refusal(lambda: held_in(printing(code), os.environ.__getitem__))
    assert said.startswith(f"admin_key_command: what the command {Path(sys.executable).name} ")
    assert why in said
    assert "sleep" not in said
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("content", ["", "\n\n", "x" * 70_000])
def test_a_file_that_holds_no_key_is_named(folder: Path, content: str):
    (folder / "key").write_text(content)
    said = refusal(lambda: key_of(written(f'admin_key_file = "{folder}/key"')))
    assert said.startswith(f"Connection 'acme': admin_key_file: the file {folder}/key cannot be")


def test_a_folder_and_a_command_that_is_not_there_are_named(folder: Path):
    assert "is a directory" in refusal(lambda: key_of(written(f'admin_key_file = "{folder}"')))
    settings = written('admin_key_command = ["no-such-command-4711", "--token=s3cret"]')
    said = refusal(lambda: key_of(settings))
    assert "what the command no-such-command-4711 prints cannot be used: no such file" in said
    assert "s3cret" not in said


class Ring(KeyringBackend):
    """A keyring with one entry, or a locked one."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise KeyringLocked(KEY)
        return KEY if (service, username) == ("https://acme/openai", "admin") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


def test_a_key_in_the_keyring_is_read_by_service_and_user(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keyring.core, "_keyring_backend", Ring())
    assert key_of(written('admin_key_keyring = "https://acme/openai/admin"')) == KEY
    for entry, why in (("acme/admin", "it is empty"), ("locked/x", "answer (KeyringLocked)")):
        settings = written(f'admin_key_keyring = "{entry}"')
        assert why in refusal(lambda settings=settings: key_of(settings))


def test_a_keyring_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    settings = written('admin_key_keyring = "acme/admin"')
    assert "pip install 'openai_costs[keyring]'" in refusal(lambda: key_of(settings))


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ('admin_key_env = "A"\nadmin_key_file = "/k"', "line 4: [[connections]] admin_key_file is"),
        ('admin_key_file = "/k"\nadmin_key_command = ["op"]', "line 4: [[connections]] admin_key_"),
        ('admin_key_file = "k"', "line 3: [[connections]] admin_key_file must be an absolute path"),
        ("admin_key_command = []", "line 3: [[connections]] admin_key_command must not be empty"),
        ('admin_key_command = "op read"', "line 3: [[connections]] admin_key_command must be a"),
        ('admin_key_keyring = "acme"', "line 3: [[connections]] admin_key_keyring must name a ser"),
        ('[gateway]\nkey_env = "A"\nkey_file = "/k"', "line 5: [gateway] key_file is there beside"),
        (
            '[[alerts.routes]]\nname = "a"\nchannel = "slack"\nurl_env = "A"\nurl_file = "/u"',
            "line 7: [[alerts.routes]] url_file is there beside url_env: keep one of them",
        ),
        (
            f'admin_key_file = "/k"\n{ACME.replace("acme", "b")}admin_key_file = "/k"',
            "have the same key and the same address",
        ),
    ],
)
def test_a_key_has_exactly_one_place(more: str, named: str):
    assert named in refusal(lambda: written(more))


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (f'"{KEY}"', "has quotation marks around it"),
        (f"\u201c{KEY}\u201d", "has quotation marks around it"),
        (f"Bearer {KEY}", "has the words of a header in front of it"),
        (f"{KEY[:9]}\n{KEY[9:]}", "has a line break, a space"),
        ("sk-proj-abcdef", "is a project's key (sk-proj-...). OpenAI refuses it for costs"),
        ("sk-ant-admin01-abcdef", "is an Anthropic key"),
    ],
)
def test_what_a_key_was_copied_with_is_named_before_anything_is_sent(
    folder: Path, key: str, why: str
):
    (folder / "key").write_text(key)
    said = refusal(lambda: key_of(written(f'admin_key_file = "{folder}/key"')))
    assert f"Connection 'acme': the key in the file {folder}/key {why}" in said


def test_a_companys_own_server_may_have_keys_of_any_kind(folder: Path):
    (folder / "key").write_text("sk-proj-abcdef")
    own = f'admin_key_file = "{folder}/key"\nbase_url = "https://llm.acme.example/v1"'
    assert key_of(written(own)) == "sk-proj-abcdef"


def test_the_gateways_key_and_a_routes_secrets_have_the_same_places(folder: Path):
    (folder / "key").write_text("sk-gateway-1")
    route = '[[alerts.routes]]\nname = "a"\nchannel = "webhook"\n'
    settings = written(
        f'[gateway]\nkey_file = "{folder}/key"\n{route}url_file = "{folder}/u"\n'
        'secret_command = ["echo", "s"]\nheaders_env = { Authorization = "TOKEN" }'
    )
    assert gateway_key(settings.gateway).get_secret_value() == "sk-gateway-1"
    (made,) = settings.alerts.routes
    assert str(made.url_place) == f"the file {folder}/u"
    assert {name: str(place) for name, place in made.secret_places.items()} == {
        "Authorization": "TOKEN",
        "": "what the command echo prints",
    }
    (folder / "key").write_text("Bearer sk-gateway-1")
    with pytest.raises(SettingsError, match=r"key_file: the key in the file .* words of a header"):
        gateway_key(settings.gateway)
