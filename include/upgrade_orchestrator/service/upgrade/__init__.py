"""The commands on an upgrade: create, start, pause, resume, cancel, promote, roll back, retry, revert.

Input: a caller's values and an ``Actor``. Output: the changed execution, stored with its events and an audit row.
``create.create_upgrade`` and ``start.start_upgrade`` begin an upgrade; ``commands`` has the commands on a running one.
"""
