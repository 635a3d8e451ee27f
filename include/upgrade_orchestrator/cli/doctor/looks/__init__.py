"""The looks, a module for each thing that is looked at; ``order`` has them all."""
