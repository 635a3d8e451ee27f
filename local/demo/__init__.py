"""`make demo` and its seed: an upgrade of the demo fleet over REST, and how it is shown."""
