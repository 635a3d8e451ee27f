"""The registry as a YAML file: ``airflow upgrades registry load | export`` (see docs/registry.md).

``marked_yaml`` reads the text and keeps line numbers, ``document`` checks it and builds entries, ``writing`` does the
opposite. ``__main__.load`` and ``__main__.export`` are the two commands.
"""
