"""The pages of the status view on the real store."""
