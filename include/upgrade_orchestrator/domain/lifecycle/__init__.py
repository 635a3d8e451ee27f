"""The changes of an execution by commands, failures, the canary monitor, rollback, retry and revert.

Input: an execution and what happened. Output: the changed execution and its events. There is one module for each
cause: ``transitions`` for pause, resume and cancel, ``failures`` for failed instances, ``canary_monitor`` for polls and
promotion, ``rollback_start``, ``retry`` and ``revert``.
"""
