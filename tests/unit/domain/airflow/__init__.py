"""What Airflow's runs and tasks mean for an execution."""
