"""Where messages go: one file per kind of channel, with one function `send(message, address)`.

Each returns a remark for the record, mostly empty, or raises DeliveryFailed.
"""
