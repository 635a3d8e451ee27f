"""The stack of the bench: its fleets and tenants (world.py), HTTP clients, and what its processes hold and use.

Entry point: `bench_stack` and `World` in world.py.
"""
