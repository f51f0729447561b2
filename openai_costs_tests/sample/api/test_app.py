from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing import Pipe
from typing import TYPE_CHECKING

import httpx
import pytest

from openai_costs.sample.api.app import COSTS_PATH, create_app
from openai_costs.sample.api.options import NO_SCOPE_ADMIN_KEY, WireOptions
from openai_costs.sample.api.serving import InProcessTransport, serve
from openai_costs.sample.faults.faults import Faults
from openai_costs_tests.processes import started
from openai_costs_tests.sample.asking import NOW, ORGANISATION, ask, client, error, exact, window

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

HEADERS = {"Authorization": "Bearer sk-admin-sample"}


def test_the_sample_admin_key_may_read_costs() -> None:
    assert ask().status_code == 200


def test_no_key_is_refused_with_401() -> None:
    with client() as asker:
        del asker.headers["Authorization"]
        refused = asker.get(COSTS_PATH, params=window(1))
    assert refused.status_code == 401
    assert error(refused)["message"]


@pytest.mark.parametrize("key", ["sk-proj-abc", "sk-svcacct-abc"])
def test_a_project_key_lacks_the_scope(key: str) -> None:
    refused = ask(key=key)
    assert refused.status_code == 401
    assert "Missing scopes: api.usage.read" in error(refused)["message"]


def test_an_admin_key_without_the_scope_is_forbidden() -> None:
    refused = ask(key=NO_SCOPE_ADMIN_KEY)
    assert refused.status_code == 403
    assert "Missing scopes: api.usage.read" in error(refused)["message"]


def test_an_unknown_key_is_refused_and_never_repeated() -> None:
    refused = ask(key="sk-admin-secret")
    assert refused.status_code == 401
    assert "sk-admin-secret" not in refused.text


def test_admin_keys_can_be_rotated() -> None:
    options = WireOptions(admin_keys=frozenset({"sk-admin-next"}))
    assert ask(options=options).status_code == 401
    assert ask(options=options, key="sk-admin-next").status_code == 200


def test_other_paths_answer_404_in_the_vendors_words() -> None:
    with client() as asker:
        missing = asker.get("/v1/organization/nothing")
    assert missing.status_code == 404
    assert "/v1/organization/nothing" in error(missing)["message"]


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_costs_can_only_be_read(method: str) -> None:
    with client() as asker:
        refused = asker.request(method, COSTS_PATH)
    assert refused.status_code == 405
    assert error(refused)["message"]


def test_the_transport_remembers_what_was_asked() -> None:
    transport = InProcessTransport(create_app(ORGANISATION, now=lambda: NOW))
    with httpx.Client(transport=transport, base_url="http://sample", headers=HEADERS) as asker:
        asker.get(COSTS_PATH, params=window(1) | {"group_by[]": ["line_item", "user_id"]})
    (request,) = transport.requests
    assert (request.method, request.path) == ("GET", COSTS_PATH)
    assert request.params[2:] == (("group_by[]", "line_item"), ("group_by[]", "user_id"))


def _serve(ready: Connection) -> None:
    app = create_app(ORGANISATION, now=lambda: NOW, faults=Faults.parse("cut@2,timeout@4:60"))
    with suppress(KeyboardInterrupt):
        serve(app, 0, ready.send)


def test_a_real_socket_gives_the_same_bytes_compressed_cuts_and_stops_quietly() -> None:
    address, ready = Pipe(duplex=False)
    server = started(_serve, ready)
    try:
        assert address.poll(60)
        with httpx.Client(base_url=address.recv(), headers=HEADERS, timeout=60) as asker:
            question = window(7, group_by="line_item,project_id")
            served = asker.get(COSTS_PATH, params=question)
            assert served.headers["content-encoding"] == "gzip"
            assert exact(served) == exact(ask(question))
            with pytest.raises(httpx.RemoteProtocolError):
                asker.get(COSTS_PATH, params=question)
            assert asker.get(COSTS_PATH, params=question).content == served.content
            with pytest.raises(httpx.ReadTimeout):
                asker.get(COSTS_PATH, params=question, timeout=0.3)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGINT)
        server.join(60)
        assert server.exitcode == 0
    finally:
        server.kill()
        server.join()
        address.close()
        ready.close()
