"""The cost explorer: one HTML file that says what was spent, by whom, and whether to believe it.

Belongs here: turning published tables into the page. Does not: reading or writing files, any rule
about spending, any number that a table does not already hold. The page needs no network, no
server and no account; what it shows adds up to the cent.
"""
