"""The tables (``tables``, ``registry_tables``, ``cursor_tables``) and the mapping of rows to domain values (``rows``).

The migrations create the tables; a test compares both.
"""
