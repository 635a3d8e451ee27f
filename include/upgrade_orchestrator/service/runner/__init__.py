"""What all runners share: the loop with its timing, the lease, fencing, and the client of the fleet.

``loop.repeat`` calls a runner's ``tick`` until there is an ``Outcome``; ``lease.LeaseKeeper`` holds the deployment's
lease meanwhile, and ``fencing.close_fence`` makes the fleet refuse orders of an earlier holder.
"""
