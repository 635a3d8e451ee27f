"""Brings an upgrade to its end when it did not complete: a rollback, what is left in flight, what is left drained.

``rollback.revert`` and ``confirm`` are the rollback, ``finalize.bring_to_end`` finishes what is in flight, ``undrain``
returns drained instances to service, ``settle`` frees the active slot.
"""
