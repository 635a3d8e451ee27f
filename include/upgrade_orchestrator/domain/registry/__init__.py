"""The component registry: its entries, their rules, and versions that can be compared.

Input: entries from REST or a file. Output: problems (``rules``, ``merge.problems_of``) or the entries to write
(``merge.merge``). ``versions`` parses and compares versions and ranges.
"""
