"""How often a property is tried: `OPENAI_COSTS_TIMES=20 .venv/bin/pytest` tries 20 times more."""

import os
from typing import Final

TIMES: Final = int(os.environ.get("OPENAI_COSTS_TIMES", "1"))


def examples(count: int) -> int:
    """So many examples, times what the environment asks for."""
    return count * TIMES
