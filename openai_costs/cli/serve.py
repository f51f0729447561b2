"""Serves the cost explorer of a home until it is stopped."""

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from openai_costs.cli.dev import Address, refuse_taken, refused
from openai_costs.cli.faults import sentence_of
from openai_costs.kernel.days import Clock
from openai_costs.kernel.errors import OpenAICostsError, SettingsError
from openai_costs.kernel.hosts import host_in_address, is_every_address
from openai_costs.outputs.publish.publication import Publication
from openai_costs.outputs.report.cost_explorer import PAGE, write_report
from openai_costs.outputs.report.served import LOOPBACK, application
from openai_costs.storage.layout import PUBLICATION_STATE


def serve_page(
    publication: Publication, address: Address, clock: Clock, say: Callable[[str], None]
) -> None:
    """Answer on an address of this machine, with the page as the newest run wrote it.

    Args:
        publication: The last publication of the home.
        address: Where to listen; its host is a name under which it answers.
        clock: The current instant.
        say: Takes a line for a person.

    Raises:
        SettingsError: The address is every address, or cannot be used.
        KeyboardInterrupt: It was stopped, by Ctrl-C or SIGTERM.
    """
    places = _places(address)
    if any(map(is_every_address, places)):
        raise SettingsError(
            f"--host {address.host} is every address of this machine. Name the one under which the "
            "page is opened, such as 127.0.0.1, so that requests under other names are refused."
        )
    refuse_taken(address)
    _bring_up_to_date(publication, clock)
    say(f"Cost explorer: {address} (Ctrl-C stops it)")
    say(f"Its tables as JSON and CSV: {address}/api")
    names = (*LOOPBACK, *map(host_in_address, (address.host, *places)))
    app = application(publication, clock, sentence_of, names)
    config = uvicorn.Config(
        app, host=address.host, port=address.port, log_level="warning", access_log=False
    )
    uvicorn.Server(config).run()  # uvicorn.run would hide that it was stopped


def _bring_up_to_date(publication: Publication, clock: Clock) -> None:
    """Write the page where there is none, or where a run was killed between database and page."""
    page, state = publication.home / PAGE, publication.home / PUBLICATION_STATE
    if not page.exists():
        write_report(publication, clock())
    elif state.exists() and page.stat().st_mtime < state.stat().st_mtime:
        with suppress(OpenAICostsError, OSError):  # what is there is of a publication as well
            write_report(publication, clock())


def _places(address: Address) -> list[str]:
    """Return the IP addresses that a host stands for, as the server will find them: 0 is 0.0.0.0.

    Raises:
        SettingsError: It stands for none.
    """
    try:
        found = socket.getaddrinfo(
            address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as unknown:
        raise refused(address, unknown) from None
    return [str(place[0]) for *_, place in found]
