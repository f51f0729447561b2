"""One contract per file: the columns of a table, their types, units and rules.

`tables/core/spend.py` is the contract of the table `core.spend`, of the asset `core/spend` and of
the folder `lake/core/spend/`: the path is the name. Not here: how a table is computed or stored.
"""
