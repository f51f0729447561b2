from __future__ import annotations

import socket
import ssl

import pytest

from openai_costs.outputs.alerts.channels.channel import connection_problem


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("cause", "problem"),
    [
        (untrusted(), "its certificate is not trusted (self-signed certificate)"),
        (ssl.SSLError(1, "wrong version number"), "it does not speak TLS on this port"),
        (socket.gaierror(-2, "Name or service not known"), "its name cannot be resolved"),
        (ConnectionRefusedError(), "it refuses connections on this port"),
        (TimeoutError(), "it did not answer in time"),
        (OSError("odd"), "RuntimeError"),
    ],
)
def test_the_cause_behind_a_broken_connection_is_named(cause: Exception, problem: str) -> None:
    with pytest.raises(RuntimeError) as broken:
        raise RuntimeError from cause
    assert connection_problem(broken.value) == problem
