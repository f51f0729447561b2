import errno
import socket
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path

import httpx
import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.sample.api.serving import Wanted, sample_address, sample_at, serve_sample
from openai_costs.sample.ready_home import keys, refuse_other_settings, write
from openai_costs.settings.load import settings_of
from openai_costs.settings.settings_file import NAME as CONFIG
from openai_costs.sources.exports.settings import files_of
from openai_costs.sources.registry import PROVIDERS, connection_kinds

TODAY = date(2026, 11, 23)

COMMAND = "from openai_costs.cli.process import run; run()"


def test_the_address_that_the_sample_api_prints_can_be_pasted_as_base_url():
    words = [sys.executable, "-c", COMMAND, "sample-api", "--port", "0", "--days", "7"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ours
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        hints = "".join(server.stdout.readline() for _ in range(4))
        try:
            answer = httpx.get(
                f"{address}/organization/costs",
                params={"start_time": "1"},
                headers={"Authorization": "Bearer sk-admin-sample"},
            )
        finally:
            server.terminate()
    assert f"export OPENAI_BASE_URL={address}\n" in hints
    assert "export OPENAI_ADMIN_KEY=sk-admin-sample\n" in hints
    assert "openai-costs backfill" in hints
    assert answer.status_code == 200
    assert answer.json()["object"] == "page"


def test_a_home_gets_settings_for_every_account_and_keeps_settings_of_others(tmp_path: Path):
    organisation = sample_at(sample_address(seed=7, days=8, today=TODAY))
    now = datetime.combine(TODAY, time(12), UTC)
    write(tmp_path, organisation, "http://127.0.0.1:8765", now)
    refuse_other_settings(tmp_path)
    text = (tmp_path / CONFIG).read_text(encoding="utf-8")
    content, config = tomllib.loads(text), tmp_path / CONFIG
    read = settings_of(content, connection_kinds(), str(tmp_path), config, text)
    assert {one.provider for one in read.connections} == {one.name for one in PROVIDERS}
    assert {name for name, _ in keys()} == {
        one.admin_key_env for one in read.connections if one.has_key
    }
    for one in read.connections:
        assert all(any((tmp_path / name).rglob("*.csv*")) for name in files_of(one))
    (tmp_path / CONFIG).write_text("[reading]\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="stays as it is"):
        refuse_other_settings(tmp_path)


@pytest.mark.parametrize("query", ["seed=7", "today=2026-11-32", "today=2026-11-23&days=many"])
def test_an_address_that_describes_no_organization_is_refused_in_a_sentence(query: str) -> None:
    with pytest.raises(SettingsError, match=r"describes no sample organization .* It needs today="):
        sample_at(f"sample://organization?{query}")


def test_a_port_that_is_taken_is_named_and_a_full_disk_of_the_home_is_no_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever had no space was told to choose another port."""
    address = sample_address(seed=7, days=7, today=date(2026, 11, 23))
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def served(port: int) -> None:
        serve_sample(address, Wanted(port, home=tmp_path), clock=lambda: noon, say=str)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} cannot be used .* --port 0 picks"):
            served(port)
    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    def met_a_full_disk(*_: object) -> None:
        raise full

    monkeypatch.setattr("openai_costs.sample.api.serving.serve", met_a_full_disk)
    with pytest.raises(OSError, match="No space left") as refused:
        served(0)
    assert refused.value is full
