import pytest

from openai_costs.kernel.hosts import host_in_address, is_every_address, is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]"]
)
def test_this_machine_has_several_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", None, "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1"])
def test_every_other_host_is_the_network(host: str | None) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("ip", ["0.0.0.0", "::", "::ffff:0.0.0.0", "0:0:0:0:0:0:0:0"])  # noqa: S104 - not listened on
def test_who_listens_on_no_address_listens_on_all(ip: str) -> None:
    assert is_every_address(ip)
    assert not is_every_address("127.0.0.1")
    assert not is_every_address("::1")


def test_a_host_is_what_a_browser_makes_of_it() -> None:
    hosts = {"::1": "[::1]", "0:0:0:0:0:0:0:1": "[::1]", "127.0.0.1": "127.0.0.1", "Acme": "acme"}
    assert {one: host_in_address(one) for one in hosts} == hosts
