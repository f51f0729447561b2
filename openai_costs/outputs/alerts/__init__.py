"""From candidates to messages that people keep switched on: ask, decide, record, send.

Belongs here: the life cycle of a finding, mutes, routes, channels, the delivery log.
Does not: what counts as a finding (the folder of the question).
"""
