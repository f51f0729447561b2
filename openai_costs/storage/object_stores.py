"""What an object store must be able to do before the lake trusts it, and how delta-rs reaches it.

Two commits to one table are kept apart by "write this name only if it is not there yet" (a
conditional put). A store that ignores the condition confirms both and keeps one: rows would be
lost without an error. So a store is tried before the first table is made on it.
"""

from typing import Any

from upath import UPath

from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.files import is_local

TRIAL = "conditional-put-trial"
S3 = ("s3", "s3a")


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
        StorageFailed: It does.
    """
    if is_local(root) or root.protocol == "file":
        return
    if _refuses_a_second_write(root / TRIAL) or _refuses_a_second_write(root / TRIAL):
        return
    raise StorageFailed(
        root,
        "this object store does not support conditional writes, so that two runs at once would "
        "lose rows of each other. Choose a store with If-None-Match, or a local home",
    )


def _refuses_a_second_write(trial: UPath) -> bool:
    """Write a name that must not be there yet; return whether that was refused because it is."""
    try:
        trial.fs.pipe_file(trial.path, b"A second write of this file must fail.", mode="create")
    except NotImplementedError:
        return False
    except OSError:  # s3fs has no FileExistsError for it
        if not trial.fs.exists(trial.path):
            raise
        return True
    return False
