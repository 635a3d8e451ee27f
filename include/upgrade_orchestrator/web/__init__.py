"""The REST API and the status pages, mounted into Airflow's API server.

Input: HTTP requests of a user that Airflow authenticates. Output: JSON, event streams, pages, or problems by RFC 9457.
The entry point is ``app.create_app``. ``security`` checks permissions, ``http`` has what all calls share, ``routes``
the calls, ``view`` the pages and ``openapi`` the description.
"""
