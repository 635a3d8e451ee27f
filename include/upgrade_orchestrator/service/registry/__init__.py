"""Use cases of the component registry: add, change, list, load from a file, calculate routes.

Input: entries that the web layer or a file has parsed. They are checked by ``domain.registry`` and stored. ``write``
has the single changes, ``load.load_registry`` loads a file, ``upgrade_paths.calculate_route`` searches for routes.
"""
