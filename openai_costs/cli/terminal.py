"""Prints for a person: the one door to a terminal, which obeys no character of a name."""

import typer

from openai_costs.kernel.visible_text import visible


def say(text: str, *, err: bool = False) -> None:
    """Print a text, on stderr where it is about a failure."""
    typer.echo(visible(text), err=err)
