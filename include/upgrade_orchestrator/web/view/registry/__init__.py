"""The registry's pages (docs/registry.md), and what the form for a new upgrade takes from the registry.

Input: what ``service.views.components`` and ``service.views.choices`` read. Output: the pages ``components`` and
``component`` with the drawing of the upgrade paths (``graph`` is its layout, ``drawing`` its SVG), the options of the
form's lists (``form_options``), and where each blocker is mended (``mends``). These pages only read.
"""
