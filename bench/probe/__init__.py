"""The probe: it runs inside the processes of the stack and writes down what each has used.

sitecustomize.py installs it (install.py) in every process that has this folder on PYTHONPATH; hooks.py wraps modules as
they are imported; calls.py, tasks.py, supervisors.py and triggers.py measure; meter.py writes the lines that
`bench.costs.lines` reads.
"""
