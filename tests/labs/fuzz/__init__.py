"""An agent that answers anything at any time, and lives of upgrades with it."""
