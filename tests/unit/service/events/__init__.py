"""The relay of events, and the metrics that are made of them."""
