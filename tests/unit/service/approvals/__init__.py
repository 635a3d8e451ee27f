"""Stages that wait for their approval, and the answers given in the Airflow UI."""
