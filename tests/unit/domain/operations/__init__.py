"""What an operator may do and is shown: permissions, actions, their impact, statistics."""
