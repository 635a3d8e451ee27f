"""`make demo` and its seed: an upgrade of the demo fleet over REST (demo.py), followed and shown (progress.py); with
FAULT=… under one of the faults in rehearsals.py (rehearsal.py).

In: a running stack. Out: exit code 0 only if the upgrade is COMPLETED and every process answers at the new version, or
if it ends under the fault as expected.
"""
