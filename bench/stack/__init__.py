"""The stack of the bench: its fleets and tenants, its HTTP clients, and what its processes hold and use."""
