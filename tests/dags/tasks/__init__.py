"""The tasks of an upgrade and their triggers: what they store, do, share and end with."""
