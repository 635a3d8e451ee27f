"""`make docs`: the pages of the API (api.py) and of the events (events.py), made from the code."""
