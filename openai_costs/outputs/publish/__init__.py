"""What readers get: one DuckDB file and Parquet tables, made beside the old, then renamed.

The only folder that writes DuckDB. Not here: any calculation that a mart should hold.
"""
