"""What all calls share: bodies, problems, Idempotency-Key, ETags, cursors, rate limits, event streams, request ids."""
