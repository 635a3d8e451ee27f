"""The rules of an upgrade: standard library only, no clock, no randomness, no I/O.

Input: values that a use case has read. Output: decisions, changed values and events. Functions are pure: the time is
an argument. ``execution`` and ``plan`` are the packages to start with.
"""
