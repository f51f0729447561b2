"""The commands, and what a run prints. Thin: no logic of its own.

Not here: what the commands do (the packages below), settings (settings/).
"""
