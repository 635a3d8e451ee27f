"""What a runner tells of its work.

``TaskLog`` writes sentences to the log of the task; ``Journal`` also keeps for each instance what its next event tells.
The sentences are made in ``sentences``, and ``LoggedDriver`` tells every order and its answer.
"""
