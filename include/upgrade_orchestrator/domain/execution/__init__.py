"""An upgrade execution: its request, status, commands and events.

Input: an execution and its next status. Output: the changed execution and its event. Every change of the status goes
through ``execution.advance``, which allows only the transitions of the table in ``states``.
"""
