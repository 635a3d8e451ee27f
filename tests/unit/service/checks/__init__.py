"""The checks before an upgrade, and those that run again later."""
