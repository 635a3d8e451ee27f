"""Airflow's auth manager: the user behind a request, our permissions in its words, the roles that ``setup`` creates."""
