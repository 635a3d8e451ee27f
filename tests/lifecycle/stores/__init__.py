"""The stores on which the machine runs, in memory and PostgreSQL, and what it needs of them beyond the ports."""
