"""The cost explorer: one HTML file that shows what was spent, by whom, and how complete it is.

cost_explorer.py reads the tables, page_model.py makes the page model from them in one pass, and
render.py turns that into HTML. Belongs here: the page's sentences, panels and tables. Does not: any
rule about spending, any number that no table holds. The page works offline, and what it shows adds
up to the cent.
"""
