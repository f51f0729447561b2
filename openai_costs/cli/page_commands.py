"""The commands about the cost explorer: write it again, serve it."""

from typing import Annotated

import typer

from openai_costs.cli.home_settings import Home, writable
from openai_costs.cli.terminal import say
from openai_costs.kernel.days import utc_now

pages = typer.Typer()


@pages.command()
def report(
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    home: Home = None,
) -> None:
    """Rebuild the cost explorer."""
    from openai_costs.cli.empty_home import refuse_empty  # noqa: PLC0415
    from openai_costs.outputs.publish.behind import behind  # noqa: PLC0415
    from openai_costs.outputs.publish.publication import publication_of  # noqa: PLC0415
    from openai_costs.outputs.report.cost_explorer import PAGE, write_report  # noqa: PLC0415
    from openai_costs.storage.layout import set_misplaced_aside  # noqa: PLC0415

    publication = publication_of(writable(home))
    folder = publication.home
    refuse_empty(folder, "days of costs")
    for line in set_misplaced_aside(folder):
        say(f"Set aside: {line}.")
    write_report(publication, utc_now())
    for line in behind(folder, publication.lake).sentences():
        say(line, err=True)
    say(str(folder / PAGE))
    if show:
        typer.launch(str(folder / PAGE))


@pages.command()
def serve(
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65535)] = 8780,
    host: Annotated[str, typer.Option(help="The address, one of this machine.")] = "127.0.0.1",
    home: Home = None,
) -> None:
    """Serve the cost explorer, with its tables as JSON and CSV, read-only."""
    from openai_costs.cli.dev import Address  # noqa: PLC0415
    from openai_costs.cli.empty_home import refuse_empty  # noqa: PLC0415
    from openai_costs.cli.serve import serve_page  # noqa: PLC0415
    from openai_costs.outputs.publish.publication import publication_of  # noqa: PLC0415

    publication = publication_of(writable(home))
    refuse_empty(publication.home, "days of costs")
    serve_page(publication, Address(host, port), utc_now, say)
