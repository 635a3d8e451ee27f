"""Who gets in, and who may make which call."""
