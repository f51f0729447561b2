"""What a reader of JSON raises for content that it cannot read. Pure.

msgspec has an error of its own for what is no JSON, and leaves bytes that are no UTF-8 and lists in
lists in lists to Python's. All are one fault of the content.
"""

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
