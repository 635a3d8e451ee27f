"""Many executions, running or stored: what they cost a new one, the API and the pages."""
