"""The plan and its batches: budget, order, pools, downtime and progress."""
