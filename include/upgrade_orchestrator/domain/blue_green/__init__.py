"""The cutover between two pools and its reversal, as pure decisions.

Input: the rows, and what the fleet and the new pool have just reported (``actions.PoolView``). Output: the next action
(``actions.PoolAction``), and what to write for it (``changes``). ``cutover.next_cutover_action`` moves forward by the
batch's phase, ``revert.next_revert_action`` moves back.
"""
