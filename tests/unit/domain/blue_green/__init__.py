"""The steps between two pools, and what they write."""
