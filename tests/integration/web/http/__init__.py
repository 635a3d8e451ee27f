"""What holds for every call: bad inputs, ETags, idempotency, problems, origins and streams."""
