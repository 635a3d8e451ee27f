"""How an upgrade ends: its last tasks, drained instances, the rollback."""
