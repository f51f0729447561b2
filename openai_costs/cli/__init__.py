"""What a person types: the commands, and what a run prints. Thin: no logic of its own.

Not here: what the commands do (the rooms below), settings (settings/).
"""
