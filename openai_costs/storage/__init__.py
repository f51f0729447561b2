"""Where things rest: the archive of raw pages, the lake of tables, and files. Knows no question."""
