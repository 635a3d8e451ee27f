"""What every runner does: fencing, backoff, crashes and downtime."""
