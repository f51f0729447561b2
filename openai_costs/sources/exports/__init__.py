"""Bills that arrive as files: which run of an export owns which rows, and how rows become days.

Belongs here: what every vendor's exports have in common. Does not: a vendor's columns, which are in
the folder of its provider.
"""
