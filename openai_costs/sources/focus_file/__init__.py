"""Bills in FOCUS, the format that clouds export: which rows are AI, and what their words mean.

Belongs here: the columns of FOCUS, and the words of Azure and Google in them. Does not: which run
of an export counts (exports/), any question about spend.
"""
