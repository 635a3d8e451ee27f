"""Routes of several upgrades from one version to another.

Input: a component's versions and paths. Output: the best routes, or the paths that are missing for one.
``search.find_routes`` is the entry point; ``paths`` has the algorithms.
"""
