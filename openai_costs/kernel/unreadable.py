"""What a reader of JSON raises for content that it cannot read. Pure.

msgspec has an error of its own for what is not JSON. For bytes that are not UTF-8, and for lists in
lists in lists, Python raises its own. All are one fault of the content.
"""

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
