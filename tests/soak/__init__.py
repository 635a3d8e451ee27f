"""What is random or long by nature: campaigns that repeat seeded rounds for a given time (docs/testing.md)."""
