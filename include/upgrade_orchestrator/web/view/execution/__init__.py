"""The page of one execution: ``page`` has its routes, ``template_context`` the values that the templates show.

The ``buttons`` are the commands that the caller may give now; the ``timeline`` has a line for each event.
"""
