"""What people ask, a folder for each question, and what several of them share beside them.

Folder = question = group in the Dagster UI. A question never imports another question's code.
"""
