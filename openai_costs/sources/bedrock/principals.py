"""Who called Bedrock, by the IAM principal on the bill. Pure.

A role is what an application or a gateway has, and is taken for its key; the session of a role is
its user, which names a person where a role is assumed by each person. A user of IAM that Bedrock
made for an API key of its own is that key.
"""

import re
from typing import Final

_ARN: Final = re.compile(r"arn:[\w-]+:(?:iam|sts)::\d*:(?P<kind>[\w-]+)/(?P<path>.+)")
_API_KEY: Final = "BedrockAPIKey-"


def user_and_key(principal: str) -> tuple[str | None, str | None]:
    """Return the user and the key that a principal stands for; either may be null.

    Args:
        principal: Such as `arn:aws:sts::123456789012:assumed-role/Gateway/session`.
    """
    found = _ARN.fullmatch(principal)
    if not found:
        return principal, None
    kind, path = found["kind"], found["path"]
    if kind == "assumed-role":
        role, _, session = path.partition("/")
        return (f"role/{role}/{session}" if session else None), f"role/{role}"
    name = path.rpartition("/")[2]
    if kind == "user" and name.startswith(_API_KEY):
        return None, f"user/{name}"
    return f"{kind}/{name}", None
