"""Steps of the tests of the use cases, by subject."""
