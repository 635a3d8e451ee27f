"""What the machine does by chance: commands of operators, actions in Airflow, faults."""
