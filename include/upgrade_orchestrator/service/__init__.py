"""The use cases: each function does one thing for a user, a task or a control loop.

Input: ``Ports`` and the values of a call. Output: an execution, a view or an ``Outcome``. A use case reads rows, lets
the rules of ``domain`` decide, writes the result in one transaction and sends orders to the fleet.
"""
