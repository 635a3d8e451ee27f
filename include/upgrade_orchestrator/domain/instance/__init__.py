"""One instance within an execution: its status, its next action and its rollback.

Input: the instance's row and the fleet as observed. Output: what to do next: write a row, send an order, or nothing.
``action.next_action`` and ``action.next_health`` decide; ``instance.move`` allows only the transitions of its table.
"""
