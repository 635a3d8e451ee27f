"""Blue-green upgrades: forth, back, with crashes, with a soak, and after downtime."""
