"""The checks before an upgrade, and the compatibility of two versions."""
