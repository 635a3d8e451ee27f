"""The PostgreSQL of the local stack: where its programs and data lie, and the server."""
