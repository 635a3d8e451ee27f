"""Use cases of the component registry: add, change, list, load from a file, calculate routes.

In come entries that the web layer or a file has parsed; they are checked by ``domain.registry`` and stored. ``write``
has the single changes, ``load.load_registry`` loads a file, ``upgrade_paths.calculate_route`` searches for routes.
"""
