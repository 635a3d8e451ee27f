"""The demo fleet: an agent that speaks the fleet agent protocol, and instances that are real processes."""
