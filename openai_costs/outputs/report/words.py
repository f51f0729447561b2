"""What the words of the first screen mean, for who reads them for the first time. Pure.

Not here: the glossary of the docs, which has all words.
"""

from __future__ import annotations

from typing import Final

_SAME: Final = "bill, tables and the provider's own total of a day are the same amount"
WORDS: Final = {
    "provisional": "Provisional: read before the day had settled, so its dollars may still change.",
    "80 % range": "80 % range: the month ends between these amounts with a probability of 80 %.",
    "missing": "Missing: the day was not read. It is not a day without spend.",
    "tie out": f"Tie out: {_SAME}.",
    "ties out": f"Ties out: {_SAME}.",
    "restated": "Restated: the provider changed a day after it had settled.",
    "without a user": "Without a user: the bill names no user, the API key has no known owner, and "
    "no token usage says who it was.",
    "batch or flex": "Batch and flex requests take longer and cost less.",
    "cheaper successor": "The provider has a newer model for the same purpose at a lower price.",
    "Cache more of the input": "Input that repeats that of an earlier request costs less if the "
    "provider has cached it.",
    "Shorten the context": "Input above a certain length costs more for each token.",
    "list prices": "List price: what the provider publishes, before the terms of your contract.",
}


def explained(text: str) -> str:
    """Return what the words in a text mean; empty where there is nothing to explain."""
    return " ".join(about for word, about in WORDS.items() if word in text)
