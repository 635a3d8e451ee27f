"""What ends a command with exit code 1."""

from __future__ import annotations


class CommandFailed(Exception):
    """The command failed; the message goes to standard error, a line per problem, without a secret in it."""
