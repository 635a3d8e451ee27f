"""What events say, and what they are to the metrics."""
