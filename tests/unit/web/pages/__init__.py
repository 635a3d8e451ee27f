"""The pages beside the one of an upgrade: list, statistics, errors, reference; their colours and icons."""
