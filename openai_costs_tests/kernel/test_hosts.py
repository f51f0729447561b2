import pytest

from openai_costs.kernel.hosts import is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]"]
)
def test_this_machine_has_several_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", None, "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1"])
def test_every_other_host_is_the_network(host: str | None) -> None:
    assert not is_loopback(host)
