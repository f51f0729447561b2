"""What the causes of a gap are called in a finding, and what to do about each."""

from typing import Final, NamedTuple


class Words(NamedTuple):
    """What a cause is called, and what to do about it.

    Args:
        billed_more: The subject where the bill is above the meter.
        metered_more: The subject where the meter is above the bill.
        step: What to do next.
    """

    billed_more: str
    metered_more: str
    step: str


CAUSES: Final = {
    "cached_tokens": Words(
        "plain input counted as cached tokens",
        "cached tokens counted as plain input",
        "Update the gateway, or correct how its export counts cached tokens.",
    ),
    "cache_writes": Words(
        "cache writes counted as plain input",
        "plain input counted as cache writes",
        "Update the gateway, or correct how its export counts cache writes.",
    ),
    "price_differs": Words(
        "prices below the bill's",
        "prices above the bill's",
        "Correct the gateway's prices of these models.",
    ),
    "unpriced_model": Words(
        "models without a price",
        "models without a price",
        "Give the gateway a price for these models.",
    ),
    "day_boundary": Words(
        "requests counted on a neighboring day",
        "requests counted on a neighboring day",
        "Compare the neighboring days together: nothing is wrong if they add up.",
    ),
    "missing_on_meter": Words(
        "tokens missing on the meter",
        "tokens missing on the meter",
        "The gateway may have failed to record requests, or the key may also be in use elsewhere: "
        "look in the gateway's log first, then ask the owner of the key.",
    ),
    "missing_on_bill": Words(
        "tokens missing on the bill",
        "tokens missing on the bill",
        "The gateway may have metered failed requests, or may use an OpenAI key that no setting "
        "declares: look for both.",
    ),
    "unexplained": Words(
        "a difference that nothing explains",
        "a difference that nothing explains",
        "Check that the meter counts tokens by kind and that the bill or the usage report has "
        "quantities.",
    ),
}
