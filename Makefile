# The commands of the repository. Each sets up .venv first (once). PORT moves the local Airflow: make up PORT=9000
# KAFKA=real runs a real broker (Java 17 and Maven are needed) instead of the mock cluster: make up KAFKA=real
PYTHON := .venv/bin/python
# Python keeps what it has compiled: many processes import the same modules, and would each compile them again.
export PYTHONDONTWRITEBYTECODE :=

# More workers than cores: while some tests wait for the stack, others use the cores.
WORKERS := 5

.PHONY: help setup up down status token seed export demo unit unit-service unit-others test times soak bench bench-quick lint docs lock ranges screenshots
