"""The tests: they mirror the package. Those of more than one room stand here.

pytest-xdist starts a process for each core, so each library gets one thread: a second one would
wait for the core, and handing each small frame to it costs more than the work itself.
"""

import os

for threads in ("POLARS_MAX_THREADS", "TOKIO_WORKER_THREADS"):
    os.environ.setdefault(threads, "1")
