"""The lifecycle machine: random commands, faults, crashes and hands in Airflow, and what must hold whatever happens."""
