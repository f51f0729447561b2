"""Which hosts are this machine, and how an address on the web has a host. Pure."""

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


def is_every_address(ip: str) -> bool:
    """Return whether who listens there listens on every address of this machine: 0.0.0.0, ::."""
    found = ip_address(ip)
    return (getattr(found, "ipv4_mapped", None) or found).is_unspecified


def host_in_address(host: str) -> str:
    """Return a host as a browser asks for it: `[::1]` for 0:0:0:0:0:0:0:1, a name in lower case."""
    try:
        found = ip_address(host)
    except ValueError:
        return host.lower()
    return f"[{found}]" if ":" in str(found) else str(found)
