"""The stack as a whole: its components, how they are prepared, started and stopped, and when it is ready.

In: a project, a state folder and a port. Out: PostgreSQL, Kafka, the agent and Airflow, running and set up. The front
door is `Stack` in stack.py.
"""
