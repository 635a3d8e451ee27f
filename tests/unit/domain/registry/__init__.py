"""The registry's entries: versions and ranges, rules, and what a file changes."""
