"""Where messages go: one file per kind of channel, with one function `send(message, address)`.

It returns a remark for the delivery log, mostly empty, or raises DeliveryFailed.
"""
