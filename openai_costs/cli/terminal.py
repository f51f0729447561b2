"""Prints for a person: the one door to a terminal, which obeys no character of a name."""

import logging
import sys

import typer

from openai_costs.cli.streams import send_nowhere
from openai_costs.kernel.visible_text import visible


def say(text: str, *, err: bool = False) -> None:
    """Print a text, on stderr where it is about a failure; the work goes on without a reader."""
    try:
        typer.echo(visible(text), err=err)
    except BrokenPipeError:  # `head` has seen enough: from now on all goes nowhere
        send_nowhere((sys.stderr if err else sys.stdout).fileno())


class Printed(logging.Handler):
    """Prints what the product logs, such as that it waits."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        say(record.getMessage(), err=True)


PRINTED = Printed()
"""The one of this process, however often a command begins in it."""
