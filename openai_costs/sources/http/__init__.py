"""How requests leave: the allow-list, the transport, and when a request is tried again."""
