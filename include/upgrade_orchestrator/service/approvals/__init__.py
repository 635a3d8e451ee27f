"""Approvals of stages: request, wait, decide, and release the tasks that ask in Airflow's UI.

``decide.decide_stage`` makes every decision, whether it comes by REST or from an answer in the UI, which
``ui_responses.apply_ui_answers`` reads in the API server. ``decide.wait_for_decision`` is the work of a stage's task.
"""
