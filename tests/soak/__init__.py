"""Tests that are random or long by nature: campaigns that repeat seeded rounds for a given time (docs/testing.md).

Each module is a campaign; rounds.py divides the time and seeds the rounds; the entry point is `make soak`.
"""
