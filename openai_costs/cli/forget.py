"""`forget-user` and `forget-connection`: what is asked for, and the proof."""

import sys
from typing import Annotated

import typer

from openai_costs.cli.home_settings import Home, writable
from openai_costs.cli.terminal import say
from openai_costs.kernel.days import utc_now
from openai_costs.settings.load import Settings
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unwritable

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")]


def forget_user(
    user: Annotated[str, typer.Argument(help="An id, a name or an e-mail address.")],
    yes: Yes = False,  # noqa: FBT002 - as typer has it
    home: Home = None,
) -> None:
    """Forget a person everywhere; their dollars stay, under a pseudonym."""
    from openai_costs.outputs.forgetting.user import forgetting  # noqa: PLC0415 - loads libraries

    settings = _settings(home, "people", is_done=yes)
    one = forgetting(settings, user)
    if not yes:
        for line in one.plan():
            say(line)
        return
    sys.exit(not one.carry_out(utc_now(), say))


def forget_connection(
    name: Annotated[str, typer.Argument(help="The name of the connection.")],
    yes: Yes = False,  # noqa: FBT002 - as typer has it
    home: Home = None,
) -> None:
    """Delete all that is kept of a connection that left the settings."""
    from openai_costs.cli.backfill import Headless  # noqa: PLC0415
    from openai_costs.outputs.forgetting.connection import departure  # noqa: PLC0415

    settings = _settings(home, "connections", is_done=yes)
    one = departure(settings, name)
    if not yes:
        for line in one.plan():
            say(line)
        return
    headless = Headless(settings, say=say)
    sys.exit(not one.carry_out(headless.publish, say))


def _settings(home: str | None, what: str, *, is_done: bool) -> Settings:
    """Return the settings of a home with something to forget; a preview needs no right to write.

    Args:
        home: The home that is named.
        what: What there may be none of, in the plural.
        is_done: Whether it is forgotten, and no preview.
    """
    from openai_costs.cli.empty_home import refuse_unread  # noqa: PLC0415
    from openai_costs.storage.renamed import finish_renaming  # noqa: PLC0415

    settings = writable(home)
    refuse_unread(place(settings.home), what)
    if is_done:
        refuse_unwritable(place(settings.home))
        finish_renaming(place(settings.home))  # what is forgotten would come by its other name
    return settings
