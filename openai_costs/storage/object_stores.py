"""What an object store must be able to do before the lake trusts it, and how delta-rs reaches it.

Two commits to one table are kept apart by "write this name only if it is not there yet" (a
conditional put). A store that ignores the condition confirms both and keeps one: rows would be
lost without an error. So a store is tried before the first table is made on it.
"""

from typing import Any

from upath import UPath

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.storage.files import is_local

TRIAL = "conditional-put-trial"
S3 = ("s3", "s3a")


class StoreUnsafe(OpenAICostsError):  # noqa: N818
    """An object store that would let two writers make the same name.

    Args:
        root: The home, or a folder of it.
        said: What the store answers to a conditional write; empty when it takes it for another.
    """

    def __init__(self, root: UPath, said: str = "") -> None:
        answer = f" ({said})" if said else ""
        super().__init__(
            f"{root}: this object store does not support conditional writes{answer}, so that two "
            "runs at once would lose rows of each other. Choose a store with If-None-Match, or a "
            "local home."
        )


def store_options(root: UPath) -> dict[str, str]:
    """Return how delta-rs reaches a store: what fsspec knows about it, and conditional puts.

    Credentials in the environment are found by delta-rs itself.
    """
    if is_local(root) or root.protocol not in S3:
        return {}
    known: Any = root.fs
    settings = {
        "aws_access_key_id": known.key,
        "aws_secret_access_key": known.secret,
        "aws_session_token": known.token,
        "aws_endpoint_url": known.endpoint_url or known.client_kwargs.get("endpoint_url"),
    }
    wanted: Any = known.s3_additional_kwargs
    settings |= {
        "aws_server_side_encryption": wanted.get("ServerSideEncryption"),
        "aws_sse_kms_key_id": wanted.get("SSEKMSKeyId"),
    }
    options = {name: str(value) for name, value in settings.items() if value}
    # The address decides about encryption on the way, as it does for every other client.
    return options | {"aws_conditional_put": "etag", "aws_allow_http": "true"}


def refuse_unsafe_store(root: UPath) -> None:
    """Refuse a store that writes a name twice although the second write forbids it.

    Raises:
        StoreUnsafe: It does, or it does not know such a write.
        OSError: Nothing can be written there; drivers of stores raise errors of their own, too.
    """
    if is_local(root) or root.protocol == "file":
        return
    if not (_is_second_write_refused(root) or _is_second_write_refused(root)):
        raise StoreUnsafe(root)


def _is_second_write_refused(root: UPath) -> bool:
    """Write a name that must not be there yet; return whether that was refused because it is."""
    trial, content = root / TRIAL, b"A second write of this file must fail."
    try:
        trial.fs.pipe_file(trial.path, content, mode="create")
    except Exception as refusal:  # each driver has its own
        if trial.fs.exists(trial.path):
            return True
        trial.fs.pipe_file(trial.path, content)  # what hinders every write is raised here
        trial.fs.rm_file(trial.path)
        said = getattr(refusal, "strerror", None) or str(refusal)
        raise StoreUnsafe(root, said.strip().rstrip(".")) from refusal
    return False
