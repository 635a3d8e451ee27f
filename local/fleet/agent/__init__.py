"""What the agent does: the orders it takes, the transitions of instances, and their health."""
