"""The component registry on PostgreSQL, and the command that fills it."""
