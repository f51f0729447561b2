from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.gateway import VIEWER_KEY
from openai_costs.sample.api.serving import InProcessTransport, sample_address, sample_at
from openai_costs.sample.company.gateway import meter_csv, registry_csv
from openai_costs.settings import Gateway
from openai_costs.sources.gateway.files.source import GatewayFiles
from openai_costs.sources.gateway.frames import spend_batches, tokens
from openai_costs.sources.gateway.litellm.source import LiteLLM
from openai_costs.storage.archive import Archive
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs_tests.org import NOW
from openai_costs_tests.sources.gateway.litellm.proxy import kept

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from openai_costs.sources.gateway.readers import GatewayReader

TODAY = NOW.date()
DAYS = DayRange(TODAY - timedelta(days=3), TODAY - timedelta(days=1))
ORGANISATION = sample_at(sample_address(seed=7, days=30, today=TODAY))
APP = InProcessTransport(create_app(ORGANISATION, now=lambda: NOW))
URL = "http://127.0.0.1:8765"


def quiet(_line: str) -> None:
    """Take a line of progress and say nothing."""


def known(reader: GatewayReader) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What a reader knows of the gateway: the meter of DAYS and the registry of today."""
    (batch,) = spend_batches([kept(read) for read in reader.meter(DAYS, quiet)])
    listed, said = tokens(
        "gateway", [kept(read) for read in reader.registry(TODAY, quiet)], (), ApiKeys.no_rows()
    )
    assert (said, batch.refused) == ([], {})
    return batch.frame, listed


def test_the_wire_says_what_the_files_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_MASTER_KEY", VIEWER_KEY)
    proxy = LiteLLM(Gateway(litellm_url=URL), lambda: NOW, APP)
    (tmp_path / "meter.csv").write_text(meter_csv(ORGANISATION, DAYS, NOW), encoding="utf-8")
    (tmp_path / "tokens.csv").write_text(registry_csv(ORGANISATION), encoding="utf-8")
    named = Gateway(token_files=("tokens.csv",), spend_files=("meter.csv",))
    of_wire = known(proxy)
    of_files = known(GatewayFiles(named, UPath(tmp_path), lambda: NOW, Archive(UPath(tmp_path))))
    order = ["day", "token_id", "model"]
    assert of_wire[0].height > 0
    assert of_wire[0].sort(order).equals(of_files[0].sort(order))
    same = ["token_id", "name", "openai_api_key_id", "confidence", "is_current"]
    assert of_wire[1].select(same).equals(of_files[1].select(same))


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/key/list?size=101", VIEWER_KEY, 422),
        ("/key/list?page=x", VIEWER_KEY, 422),
        ("/key/list?size=100", "sk-admin-sample", 401),
        ("/user/daily/activity?start_date=soon&end_date=soon", VIEWER_KEY, 422),
        ("/user/daily/activity?start_date=2026-11-01&end_date=2026-11-02", VIEWER_KEY, 422),
        ("/user/daily/activity?start_date=2019-11-01&end_date=2019-11-01", VIEWER_KEY, 200),
    ],
)
def test_the_proxy_refuses_what_a_proxy_refuses(path: str, key: str, status: int) -> None:
    with httpx.Client(transport=APP, base_url=URL) as client:
        answer = client.get(path, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == status
