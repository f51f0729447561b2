import httpx
import pytest

from openai_costs.settings.addresses import address_fault, host_of


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("http://127.0.0.1\\@evil.example/v1", "backslash"),
        ("https://api.openai.com\\.evil.example/v1", "backslash"),
        ("https://api.openai.com@evil.example/v1", "user name"),
        ("https://user:secret@api.openai.com/v1", "user name"),
        ("https://api.openai.com/v1/organization/users?x=", "? or a #"),
        ("https://api.openai.com/v1#", "? or a #"),
        ("https://api.openai.com/v1 ", "blank"),
        ("https://api.openai.com/\nv1", "blank"),
        ("https://api.openai.com/v1\u202e", "invisible"),
        ("https://api.openai.com/v1/../admin", "lead elsewhere"),
        ("https://api.openai.com/v1/%2e%2e/admin", "lead elsewhere"),
        ("https://api.openai.com/v1%2Fadmin", "lead elsewhere"),
        ("https://api.openai.com//v1", "lead elsewhere"),
        ("https:///v1", "web address"),
        ("https://:443/v1", "web address"),
        ("https://[::1/v1", "web address"),
        ("https://api.openai.com:99999999/v1", "web address"),
        ("ftp://api.openai.com/v1", "web address"),
        ("api.openai.com/v1", "web address"),
        ("http://api.openai.com/v1", "must begin with https"),
        ("http://2130706433/v1", "must begin with https"),
        ("http://127.0.0.1.evil.example/v1", "must begin with https"),
    ],
)
def test_an_address_that_may_be_read_in_two_ways_or_by_others_is_refused(address: str, fault: str):
    assert fault in address_fault(address)
    assert "secret" not in address_fault(address)


@pytest.mark.parametrize(
    "address",
    [
        *("https://api.openai.com/v1", "https://eu.api.openai.com:8443/proxy/v1/"),
        *("http://127.0.0.1:8765/v1", "http://localhost:4000", "http://[::1]:4000/v1"),
        *("https://bücher.example/v1", "https://api.example.com/a.b/v1.1"),
    ],
)
def test_a_plain_address_is_fine(address: str):
    assert address_fault(address) == ""


def test_the_host_is_the_one_that_is_connected_to():
    assert host_of("http://127.0.0.1\\@evil.example/v1") == "evil.example"
    assert host_of("https://[") == ""
    assert httpx.URL("http://127.0.0.1\\@evil.example/v1").host == "evil.example"
