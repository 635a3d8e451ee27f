"""The agent over HTTP: the fleet agent protocol, the administration of demo fleets, and the server."""
