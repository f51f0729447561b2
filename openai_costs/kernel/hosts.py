"""Which hosts are this machine. Pure."""

from ipaddress import ip_address


def is_loopback(host: str | None) -> bool:
    """Return whether a host, as an address has it, is this machine: 127.0.0.0/8, ::1, localhost."""
    name = (host or "").strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
