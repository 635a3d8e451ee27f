"""The stack as a whole: its components, how they are prepared, started and stopped, and when it is ready."""
