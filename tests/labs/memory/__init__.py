"""A lab on the store in memory, with a virtual clock and ids that are the same in every run."""
