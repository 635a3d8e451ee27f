"""The approval of a stage, and what a person reads before it is given."""
