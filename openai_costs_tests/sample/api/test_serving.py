import subprocess
import sys

import httpx

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
