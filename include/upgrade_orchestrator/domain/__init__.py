"""The rules of an upgrade: standard library only, no clock, no randomness, no I/O."""
