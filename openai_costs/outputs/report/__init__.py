"""The cost explorer: one HTML file that answers what was spent, by whom, and whether to believe it.

cost_explorer.py reads the tables, page_model.py makes the page model from them in one pass (the
first screen, the explorer's data, the sections), and render.py turns that into HTML with template/,
style/ and script/. Belongs here: the page's sentences, sections and data. Does not: any rule about
spending, any number that no table holds. The page works offline, and its totals are exact.
"""
