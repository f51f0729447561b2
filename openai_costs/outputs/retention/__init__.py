"""What no longer leaves a home, because it is no longer there: months older than the settings keep.

Belongs here: what is deleted when, what is written down about it, and the sentences. Does not: how
bytes are deleted (storage/deletion.py), which days may still be asked for (sources/kept_days.py).
"""
