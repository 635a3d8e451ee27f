"""Reads backups in processes of their own, which can be killed: a mount that hangs holds no thread of ours.

``storage.BackupStorage`` is the entry point; ``look`` is the script of the process; ``places`` limits their number.
"""
