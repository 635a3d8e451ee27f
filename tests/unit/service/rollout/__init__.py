"""The steps of a rollout: the first one, batches, canaries, what fails."""
