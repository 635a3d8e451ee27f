"""What Airflow knows of the tasks of upgrades: those that wait for a person, are lost, or are to end early."""
