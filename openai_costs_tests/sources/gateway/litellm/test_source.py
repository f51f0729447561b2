from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stamina

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    CursorRefused,
    IncompleteRead,
    PathNotAllowed,
    ReadFailed,
    SettingsError,
)
from openai_costs.sources.gateway.litellm.endpoints import ALLOWED
from openai_costs.sources.gateway.litellm.partial_answers import (
    DatabaseMissing,
    SpendLogsMissing,
    ViewIsPartial,
)
from openai_costs.sources.gateway.litellm.source import GatewayRefused, LiteLLM
from openai_costs_tests.sources.gateway.litellm.proxy import (
    DAY,
    NOW,
    Proxy,
    Refusing,
    activity,
    gateway,
    key,
    log,
    metrics,
)

TODAY = DayRange(DAY, DAY)
SECRET = "sk-gateway-master-5tZ"  # noqa: S105 - made up


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GATEWAY_KEY", SECRET)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def reader(inner: httpx.BaseTransport, **more: Any) -> LiteLLM:  # noqa: ANN401
    return LiteLLM(gateway(**{"requests_per_minute": 100_000} | more), lambda: NOW, inner)


def keys(*found: dict[str, Any], deleted: Any = ()) -> Proxy:  # noqa: ANN401
    return Proxy(lambda _path, said: list(deleted if "status" in said else found), largest=2)


def quiet(_line: str) -> None:
    """Take a line of progress and say nothing."""


def test_the_registry_is_read_page_by_page_with_whole_objects_and_the_deleted_ones():
    proxy = keys(key("a"), key("b"), key("c"), deleted=(key("gone"),))
    (read,) = reader(proxy).registry(DAY, quiet)
    assert sorted(read.bodies) == ["deleted.0", "keys.0", "keys.1"]
    first = dict(proxy.asked[0].url.params)
    assert (first["return_full_object"], first["size"], first["page"]) == ("true", "100", "1")
    assert {one.method for one in proxy.asked} == {"GET"}
    assert proxy.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_proxy_without_the_list_of_deleted_keys_still_has_a_registry():
    class Older(Proxy):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "status" in request.url.params:
                return httpx.Response(400, json={"error": {"message": "unknown status"}})
            return super().handle_request(request)

    (read,) = reader(Older(lambda _p, _s: [key("a")])).registry(DAY, quiet)
    assert read.absent == {"deleted": "unknown status"}


def test_a_registry_that_changes_while_it_is_read_is_read_again():
    def vanish(number: int, page: dict[str, Any]) -> dict[str, Any]:
        return page | {"keys": []} if number == 2 else page

    proxy = Proxy(
        lambda _p, said: [] if "status" in said else [key("a"), key("b"), key("c")], 2, vanish
    )
    (read,) = reader(proxy).registry(DAY, quiet)
    assert [one.url.params["page"] for one in proxy.asked] == ["1", "2", "1", "2", "1"]
    assert len(read.bodies) == 3


def test_a_registry_that_never_adds_up_is_not_kept():
    proxy = Proxy(lambda _p, _s: [key("a")], change=lambda _n, page: page | {"total_count": 7})
    with pytest.raises(IncompleteRead, match="1 rows were returned where 7 were counted"):
        list(reader(proxy).registry(DAY, quiet))


def test_a_page_that_is_another_page_is_not_taken():
    proxy = Proxy(lambda _p, _s: [key("a")], change=lambda _n, page: page | {"current_page": 9})
    with pytest.raises(IncompleteRead, match="page 1 was requested, but page 9 was returned"):
        list(reader(proxy).registry(DAY, quiet))


def test_an_endless_list_of_empty_pages_ends():
    proxy = Proxy(lambda _p, _s: [], change=lambda _n, page: page | {"total_pages": 99})
    (read,) = reader(proxy).registry(DAY, quiet)
    assert len(proxy.asked) == len(read.bodies) == 2


def test_the_meter_is_read_day_by_day_newest_first_over_all_pages_of_a_day():
    page = activity({"openai/gpt-5": {"tok": metrics(0.5, 10)}})
    proxy = Proxy(lambda _p, said: [page] if said["start_date"] == str(DAY) else [], largest=1)
    proxy.rows = lambda _p, said: [page, page] if said["start_date"] == str(DAY) else []
    reads = list(reader(proxy).meter(DayRange(DAY - timedelta(days=1), DAY), quiet))
    assert [(read.day, sorted(read.bodies)) for read in reads] == [
        (DAY, ["daily.0", "daily.1"]),
        (DAY - timedelta(days=1), ["daily.0"]),
    ]
    sent = dict(proxy.asked[0].url.params)
    assert sent == {"start_date": str(DAY), "end_date": str(DAY), "page": "1", "page_size": "1000"}


def test_requests_are_asked_for_by_the_utc_midnights_of_their_day():
    proxy = Proxy(lambda _p, _s: [log("tok", 0.1, 1, 0, 1)] * 3, largest=1000)
    (read,) = reader(proxy, meter="requests").meter(TODAY, quiet)
    sent = proxy.asked[1].url.params
    assert (sent["start_date"], sent["end_date"]) == ("2026-03-10 00:00:00", "2026-03-11 00:00:00")
    assert list(read.bodies) == ["requests.0"]


def test_a_log_too_long_to_be_counted_is_read_to_its_short_last_page():
    capped = {"total_is_capped": True, "total": 10, "total_pages": 1}
    proxy = Proxy(
        lambda _p, _s: [log("tok", 0.1, 1, 0, 1)] * 2500, change=lambda _n, page: page | capped
    )
    (read,) = reader(proxy, meter="requests").meter(TODAY, quiet)
    assert len(read.bodies) == 3


def test_a_refusal_names_the_variable_and_the_role_and_no_secret():
    with pytest.raises(GatewayRefused) as refused:
        list(reader(Refusing()).registry(DAY, quiet))
    for said in ("'gateway'", "/key/list", "GATEWAY_KEY", "proxy_admin_viewer"):
        assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_gateway_that_is_down_is_a_failed_read():
    with pytest.raises(ReadFailed, match="did not succeed after all retries"):
        list(reader(Refusing(503)).meter(TODAY, quiet))


def test_a_missing_key_is_an_error_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GATEWAY_KEY")
    proxy = keys(key("a"))
    with pytest.raises(SettingsError, match="GATEWAY_KEY"):
        list(reader(proxy).registry(DAY, quiet))
    assert proxy.asked == []


def test_nothing_but_the_reading_paths_may_be_asked():
    assert ALLOWED == (
        "/key/list",
        "/user/daily/activity",
        "/spend/logs/v2",
        "/global/spend",
        "/spend/keys",
    )
    with pytest.raises(PathNotAllowed):
        reader(keys())._transport(print).get("/key/generate", ())  # noqa: SLF001 - the allow-list itself


def test_an_endless_meter_of_empty_pages_is_no_complete_day():
    def endless(_n: int, page: dict[str, Any]) -> dict[str, Any]:
        more = {"total_pages": page["metadata"]["page"] + 1, "has_more": True}
        return page | {"metadata": page["metadata"] | more}

    proxy = Proxy(lambda _p, _s: [], change=endless)
    with pytest.raises(IncompleteRead, match="page 1 of 2 is empty"):
        list(reader(proxy).meter(TODAY, quiet))
    assert len(proxy.asked) == 4


# --- a key that sees a part, and a proxy that has less than it counted ----------------------------

ONLY_ADMIN = "Authentication Error, Only proxy admin can be used. Your role=internal_user"


def limited() -> Proxy:
    """A proxy as a user's own virtual key sees it: HTTP 200, and that user's rows only."""
    proxy = keys(key("own"))
    said = {"error": {"message": ONLY_ADMIN, "type": "auth_error", "code": "401"}}
    proxy.whole_view = httpx.Response(401, json=said)
    return proxy


@pytest.mark.parametrize("what", ["registry", "meter"])
def test_a_key_that_sees_only_its_own_rows_is_refused_and_nothing_is_kept(what: str):
    own = reader(limited())
    with pytest.raises(ViewIsPartial) as refused:
        list(own.registry(DAY, quiet) if what == "registry" else own.meter(TODAY, quiet))
    for said in ("GATEWAY_KEY sees a part", "Only proxy admin", "proxy_admin_viewer"):
        assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_viewer_of_the_whole_proxy_is_asked_for_one_number():
    proxy = keys(key("a"))
    assert len(list(reader(proxy).registry(DAY, quiet))) == 1
    assert proxy.probed == ["/global/spend"]


@pytest.mark.parametrize("status", [404, 500])
def test_a_proxy_without_the_view_of_all_spend_is_asked_for_the_spend_of_keys(status: int):
    class Older(Proxy):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if request.url.path != "/global/spend":
                return answer
            why = 'relation "MonthlyGlobalSpend" does not exist'
            return httpx.Response(status, json={"error": {"message": why}})

    proxy = Older(lambda _p, _s: [])
    assert len(list(reader(proxy).registry(DAY, quiet))) == 1
    assert proxy.probed == ["/global/spend", "/spend/keys"]


def counting(requests: int, spend: float, *logs: dict[str, Any], largest: int = 1000) -> Proxy:
    """A proxy that counted so much on each day, and has these spend logs."""

    def rows(path: str, _said: dict[str, str]) -> list[Any]:
        return list(logs) if path == "/spend/logs/v2" else [{"date": str(DAY)}]

    def counted(_n: int, page: dict[str, Any]) -> dict[str, Any]:
        if "results" not in page:
            return page
        totals = {"total_api_requests": requests, "total_spend": spend}
        return page | {"metadata": page["metadata"] | totals}

    return Proxy(rows, largest, counted)


def test_a_day_without_spend_logs_that_the_proxy_counted_requests_on_is_not_read_as_zero():
    with pytest.raises(SpendLogsMissing) as missing:
        list(reader(counting(10, 1.916), meter="requests").meter(TODAY, quiet))
    said = str(missing.value)
    assert "0 requests with $0.00 in the spend logs of 2026-03-10" in said
    assert "the proxy counted 10 with $1.92" in said
    assert 'meter = "daily"' in said


def test_a_day_of_which_a_part_of_the_spend_logs_was_deleted_is_not_read():
    half = counting(10, 1.0, *[log("tok", 0.1, 1, 0, 1)] * 5)
    with pytest.raises(
        SpendLogsMissing, match=r"5 requests with \$0\.50 .* counted 10 with \$1\.00"
    ):
        list(reader(half, meter="requests").meter(TODAY, quiet))


def test_days_with_all_their_spend_logs_are_kept_beside_days_without():
    whole, none = DAY, DAY - timedelta(days=1)
    proxy = counting(2, 0.2)

    def rows(path: str, said: dict[str, str]) -> list[Any]:
        if path != "/spend/logs/v2":
            return [{"date": str(DAY)}]
        is_whole = said["start_date"].startswith(str(whole))
        return [log("tok", 0.1, 1, 0, 1)] * 2 if is_whole else []

    proxy.rows = rows
    reads = reader(proxy, meter="requests").meter(DayRange(none, whole), quiet)
    assert next(reads).day == whole
    with pytest.raises(SpendLogsMissing, match=str(none)):
        next(reads)


def test_a_day_that_is_not_over_may_have_fewer_spend_logs_than_requests_but_not_none():
    now = NOW.replace(day=10)
    few, none = counting(10, 1.0, log("tok", 0.1, 1, 0, 1)), counting(10, 1.0)
    of_now = (
        LiteLLM(gateway(requests_per_minute=100_000, meter="requests"), lambda: now, inner)
        for inner in (few, none)
    )
    assert len(list(next(of_now).meter(TODAY, quiet))) == 1
    with pytest.raises(SpendLogsMissing):
        list(next(of_now).meter(TODAY, quiet))


@pytest.mark.parametrize("what", ["registry", "meter"])
def test_a_proxy_without_a_database_is_recognized_at_the_first_answer(what: str):
    class WithoutDatabase(httpx.BaseTransport):
        asked = 0

        def handle_request(self, _request: httpx.Request) -> httpx.Response:
            self.asked += 1
            return httpx.Response(500, json={"detail": {"error": "Database not connected"}})

    proxy = WithoutDatabase()
    own = reader(proxy)
    with pytest.raises(DatabaseMissing, match="litellm_callback"):
        list(own.registry(DAY, quiet) if what == "registry" else own.meter(TODAY, quiet))
    assert proxy.asked == 1


def test_a_proxy_that_loses_its_database_between_two_pages_is_asked_again_later():
    class Losing(Proxy):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.params.get("page") == "2":
                return httpx.Response(500, json={"detail": {"error": "Database not connected"}})
            return super().handle_request(request)

    proxy = Losing(lambda _path, _params: [key("a"), key("b")], largest=1)
    with pytest.raises(CursorRefused) as refused:
        list(reader(proxy).registry(DAY, quiet))
    assert refused.value.is_retryable
