"""The process of a command, which has nothing to do but that command: how it begins and ends.

Not here: the commands, and what a fault of theirs is to a person (commands.py).
"""

import atexit
import gc
import os
import signal
import sys
import threading
from contextlib import suppress

from openai_costs.cli.streams import STOPPED, open_closed_streams

OBJECTS_AT_ONCE = (50_000, 20, 100)
"""Python looks for garbage after so many objects; by default it would look after every 700."""


def run() -> None:
    """Run the command of this process, and end the process.

    Python would spend a second on freeing the objects of the libraries one by one, although the
    system takes the memory back at once. So the process ends when its threads have ended, what
    was registered with `atexit` has run, and everything printed has been written. SIGTERM stops a
    command as Ctrl-C does: what it has open is closed, and its code is 130.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    open_closed_streams()
    code = 0
    try:
        _command()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except KeyboardInterrupt:  # also while the libraries are loaded
        code = STOPPED
    _end(code)


def _command() -> None:
    gc.disable()  # nothing of the libraries is garbage, now or later
    from openai_costs.cli.commands import main  # noqa: PLC0415 - loading it is the first of it
    from openai_costs.storage.permissions import write_for_owner_only  # noqa: PLC0415 - as above

    gc.freeze()
    gc.set_threshold(*OBJECTS_AT_ONCE)
    gc.enable()
    write_for_owner_only()
    main()


def _end(code: int) -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001 - what Python itself calls at the end
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # a reader that has seen enough, as `head`
            stream.flush()
    os._exit(code)
