"""What goes wrong with the local stack, said in one line."""


class LocalError(Exception):
    """A problem a person can act on: its text is one clear line (a log's last lines may follow)."""
