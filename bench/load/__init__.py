"""Many executions, running or stored: what they cost a new one (crowd.py), the API (reads.py) and the pages
(view.py).
"""
