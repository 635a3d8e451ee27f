"""The cutover between two pools and its reversal, as pure decisions.

In come the rows, and what the fleet and the new pool have just reported (``steps.PoolView``); out comes one small value
that says what to do (``steps.PoolStep``), and what to write for it (``changes``). ``cutover.next_cutover_action`` goes
forward by the batch's phase, ``revert.next_revert_action`` goes back.
"""
