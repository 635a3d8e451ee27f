"""Pages in a real browser, their accessibility, and HTML as a browser reads it."""
