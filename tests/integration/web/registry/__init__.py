"""The component registry over REST: versions, their paths and their compatibility."""
