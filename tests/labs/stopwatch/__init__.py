"""How long an upgrade takes to name a fault of its fleet, and to let go after a cancel, on virtual time."""
