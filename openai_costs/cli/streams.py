"""The streams of the process of a command, and its code where it is stopped.

Not here: how the process begins and ends (process.py), what is printed (terminal.py).
"""

import os
import sys

STOPPED = 130
"""The exit code after Ctrl-C or SIGTERM."""


def open_closed_streams() -> None:
    """Send what is printed nowhere where a stream was closed, as `>&-` does.

    The next file that is opened would take its number, and get what a library prints there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            send_nowhere(number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def send_nowhere(number: int) -> None:
    """Let whatever is written to a stream of this process, by its number, go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
