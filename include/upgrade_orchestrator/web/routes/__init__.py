"""The calls of the REST API, one module for each kind of resource; each call runs one use case."""
