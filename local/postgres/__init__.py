"""The PostgreSQL of the local stack: where its programs and data are (home.py), and the server (server.py).

Entry point: `Postgres` in server.py, and `running_postgres` for tests.
"""
