"""`make docs`: the pages of the API and of the events, made from the code."""
