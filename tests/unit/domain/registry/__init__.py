"""The registry's entries: versions and ranges, rules, and the changes by a file."""
