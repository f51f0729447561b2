"""A page's results against what we know of them: known, merely new, or not to be trusted.

Pure: bytes in, typed results out. Digits stay as they were written: a float never exists.
"""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE


class Result(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What every result has."""

    object: str = ""


R = TypeVar("R", bound=Result)


class _Bucket(msgspec.Struct, Generic[R], forbid_unknown_fields=True):
    results: list[R]
    object: str = "bucket"
    start_time: int = 0
    end_time: int = 0
    start_time_iso: str | None = None
    end_time_iso: str | None = None


class _LooseBucket(msgspec.Struct):
    results: list[dict[str, Any]]


# float_hook=str keeps every digit.
_loose = msgspec.json.Decoder(_LooseBucket, float_hook=str)


class Shape(Generic[R]):
    """What the results of an endpoint look like.

    Args:
        result: The fields that are known.
        object_name: The `object` of a result.
        nested: The same fields, with room for new ones inside them; None where none has any.
        allows_unknown: Whether a result of another object that lacks what we count is left out;
            otherwise it refuses the page.
    """

    def __init__(
        self,
        result: type[R],
        object_name: str,
        *,
        nested: type[R] | None = None,
        allows_unknown: bool = False,
    ) -> None:
        self._strict = msgspec.json.Decoder(_Bucket[result], float_hook=str)  # type: ignore[valid-type]  # known when it runs
        self._result = nested or result
        self._known = frozenset(result.__struct_fields__)
        self._object = object_name
        self._allows_unknown = allows_unknown

    def results(
        self, body: bytes, grouping: Sequence[str], page: str
    ) -> tuple[Sequence[R], list[str]]:
        """Return a page's results, and a remark about each thing in it that is new to us.

        Args:
            body: The bucket.
            grouping: The dimensions it was asked for in.
            page: Its name, for messages.

        Raises:
            PageRefused: A field we rely on is gone or has another type.
        """
        try:
            found: Sequence[R] = self._strict.decode(body).results
        except UNREADABLE as unexpected:
            return self._loosely(body, grouping, page, str(unexpected))
        return found, self._strange(found)

    def _loosely(
        self, body: bytes, grouping: Sequence[str], page: str, unexpected: str
    ) -> tuple[Sequence[R], list[str]]:
        """Accept what is merely new; refuse what we rely on and cannot find."""
        try:
            loose = _loose.decode(body).results
        except UNREADABLE as gone:
            raise PageRefused(page, _where(str(gone)), f"has an unexpected form: {gone}") from None
        understood = [self._converted(row, one, page) for row, one in enumerate(loose)]
        found = [one for one in understood if one is not None]
        new = sorted({name for one in loose for name in one} - self._known)
        for dimension in grouping:
            if new and loose and not any(dimension in one for one in loose):
                why = f"is gone from every result, while {', '.join(new)} is new: renamed?"
                raise PageRefused(page, f"results[].{dimension}", why)
        remarks = [f"unknown fields, kept in raw: {', '.join(new) or unexpected}"]
        if left := [one for one, its in zip(loose, understood, strict=True) if its is None]:
            names = ", ".join(sorted({str(one["object"]) for one in left}))
            remarks.append(f"unknown objects, kept in raw and not counted: {names} ({len(left)})")
        return found, remarks + self._strange(found)

    def _converted(self, row: int, one: dict[str, Any], page: str) -> R | None:
        """Return a result without what is new in it; None for a stranger that is left out."""
        known = {name: value for name, value in one.items() if name in self._known}
        try:
            return msgspec.convert(known, self._result)
        except msgspec.ValidationError as gone:
            if self._allows_unknown and one.get("object", self._object) != self._object:
                return None
            where = _where(str(gone), f"results[{row}]")
            raise PageRefused(page, where, f"has an unexpected form: {gone}") from None

    def _strange(self, results: Sequence[R]) -> list[str]:
        objects = sorted({result.object for result in results} - {self._object})
        return [f"unknown objects, counted: {', '.join(objects)}"] if objects else []


def _where(message: str, start: str = "results") -> str:
    """Return the path of the field that a message of the parser is about."""
    path = message.rpartition("`$")[2].strip("`") if "`$" in message else ""
    missing = message.partition("missing required field `")[2].partition("`")[0]
    if missing == "results":
        return missing
    return ".".join(part for part in (start + path.removeprefix(".results"), missing) if part)
