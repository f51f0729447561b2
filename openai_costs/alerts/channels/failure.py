"""What a channel raises when it did not take a message."""

from openai_costs.errors import OpenAICostsError


class DeliveryFailed(OpenAICostsError):  # noqa: N818
    """A channel did not take a message.

    Args:
        said: What happened; holds no address and no secret.
        is_retryable: Whether the same message may go through later.
        may_have_arrived: Whether it is unknown if the message arrived.
    """

    def __init__(
        self, said: str, *, is_retryable: bool = False, may_have_arrived: bool = False
    ) -> None:
        super().__init__(said)
        self.is_retryable, self.may_have_arrived = is_retryable, may_have_arrived
