"""The pages of the status view, shown in Airflow's UI (docs/status-view.md).

In come page requests of a signed-in user; out come HTML pages, rendered on the server from ``templates``, and parts of
pages that the scripts in ``static`` fetch again when events come in. Pages only read: commands go to the REST API. The
front doors are the routers of ``board``, ``execution``, ``create_form`` and ``statistics``.
"""
