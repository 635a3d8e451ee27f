"""The agent over HTTP: the fleet agent protocol (protocol.py), the /demo administration, and the server."""
