"""Routes of several upgrades from one version to another.

In come a component's versions and paths; out come the best routes, or the paths that are missing for one.
``search.find_routes`` is the front door; ``paths`` has the algorithms.
"""
