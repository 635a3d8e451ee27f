"""The pages in a real browser, in front of the store in memory: no Airflow, so a module takes seconds."""
