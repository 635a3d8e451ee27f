"""Use cases that only read: executions, the board and the detail page of the status view, and health.

The views are read with few SQL statements. ``queries.get_execution`` is the body of the API, ``board.show_board`` and
``detail.load_detail`` are the pages of the status view, ``health`` and ``fleet_health`` are GET /health.
"""
