"""The PostgreSQL of the local stack: where its programs and data are (home.py), and the server (server.py).

Front door: `Postgres` in server.py, and `running_postgres` for tests.
"""
