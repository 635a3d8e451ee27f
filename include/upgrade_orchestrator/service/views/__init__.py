"""Use cases that only read: executions, the board and the detail page of the status view, and health.

The views are read with few SQL statements. ``queries.get_execution`` is the body of the API, ``board.show_board``,
``detail.load_detail`` and ``components`` are the pages of the status view, ``choices`` is what its form offers,
``fleet_look`` shows a fleet as it is now, ``health`` and ``fleet_health`` are GET /health.
"""
