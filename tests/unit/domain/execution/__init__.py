"""The execution's lifecycle: statuses, commands and failure."""
