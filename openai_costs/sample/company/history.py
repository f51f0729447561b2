"""How many days of history the sample company has: the usual number, the fewest and the most."""

from typing import Final

USUAL_DAYS: Final = 64
"""Whatever day it is: this month, all of the last one, and a few days before it."""

SHORTEST_DAYS: Final = 7
LONGEST_DAYS: Final = 1100
