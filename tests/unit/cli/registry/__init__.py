"""The file of the registry: how it is read and what is refused by its line."""
