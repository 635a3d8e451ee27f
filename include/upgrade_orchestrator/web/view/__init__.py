"""The pages of the status view, shown in Airflow's UI (docs/status-view.md).

Input: page requests of a signed-in user. Output: HTML pages, rendered on the server from ``templates``, and parts of
pages that the scripts in ``static`` fetch again when events arrive. Pages only read: commands go to the REST API. The
entry points are the routers of ``board``, ``execution``, ``create_form`` and ``statistics``.
"""
