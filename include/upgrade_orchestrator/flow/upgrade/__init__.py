"""The DAG of an execution: ``factory.build_dags`` builds it, ``groups`` has its parts, ``operators`` its tasks.

Steps run in the triggerer (``triggers``); only the first step and the verification use a worker. Each task calls one
use case and ends as its outcome says, so it may be retried or cleared at any time.
"""
