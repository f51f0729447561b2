from datetime import date
from pathlib import Path

import httpx
import pytest

from openai_costs.kernel.errors import RequestRefused
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.connection import connect
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.provider import Reach

NOBODY = Reach(lambda _connection: httpx.MockTransport(lambda _request: httpx.Response(404)))


def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base_url: str) -> str:
    """What is said of a page that is not there."""
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-sample")
    one = OpenAIConnection(name="acme", start=date(2026, 3, 1), base_url=base_url)
    settings = Settings(
        home=str(tmp_path), config_file=Path("openai_costs.toml"), connections=(one,)
    )
    with pytest.raises(RequestRefused) as error:
        connect(settings, one, NOBODY).get(COSTS.path, [])
    return str(error.value)


@pytest.mark.parametrize("address", ["https://api.openai.com", "https://api.openai.com/"])
def test_the_remedy_for_an_address_without_v1_is_to_end_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
):
    said = refused(tmp_path, monkeypatch, address)
    assert said.endswith("does not end in /v1, as OpenAI's does: try https://api.openai.com/v1.")


def test_an_address_with_v1_is_not_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = refused(tmp_path, monkeypatch, "https://api.openai.com/v1")
    assert "base_url" not in said
    assert "openai-costs doctor" in said
