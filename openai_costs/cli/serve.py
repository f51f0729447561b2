"""Serves the cost explorer of a home until it is stopped."""

from collections.abc import Callable

import uvicorn
from upath import UPath

from openai_costs.cli.dev import Address, refuse_taken
from openai_costs.kernel.days import Clock
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.report.cost_explorer import PAGE, write_report
from openai_costs.outputs.report.served import LOOPBACK, application
from openai_costs.storage.lake import Lake

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - refused below


def serve_page(home: UPath, address: Address, clock: Clock, say: Callable[[str], None]) -> None:
    """Answer on an address of this machine, with the page as the newest run wrote it.

    Args:
        home: The home.
        address: Where to listen; its host is a name under which it answers.
        clock: The current instant.
        say: Takes a line for a person.

    Raises:
        SettingsError: The address is every address, or cannot be used.
        KeyboardInterrupt: It was stopped, by Ctrl-C or SIGTERM.
    """
    if address.host in EVERYWHERE:
        raise SettingsError(
            f"--host {address.host} is every address of this machine. Name the one under which the "
            "page is opened, such as 127.0.0.1, so that requests under other names are refused."
        )
    refuse_taken(address)
    lake = Lake(home)
    if not (home / PAGE).exists():
        write_report(home, lake, clock())
    say(f"Cost explorer: {address} (Ctrl-C stops it)")
    say(f"Its tables as JSON and CSV: {address}/api")
    app = application(home, lake, clock, (*LOOPBACK, address.host))
    config = uvicorn.Config(
        app, host=address.host, port=address.port, log_level="warning", access_log=False
    )
    uvicorn.Server(config).run()  # uvicorn.run would hide that it was stopped
