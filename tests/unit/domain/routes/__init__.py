"""Upgrade paths from one version to another, and the search for them."""
