"""The relay's leader is killed: candidates for its place, as processes of the relay or as API servers of Airflow."""
