"""From what questions found to messages people keep switched on.

Belongs here: the life of a finding, mutes, who is told, channels, the record of what was told.
Does not: what is worth finding (the folder of the question).
"""
