"""The data of events, and the metrics that follow from them."""
