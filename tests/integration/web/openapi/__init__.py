"""The description of the API beside what the API does."""
