"""The demo fleet: an agent that speaks the fleet agent protocol, and instances that are real processes.

In: calls of the protocol (specification section 11) and of the /demo administration, over HTTP. Out: processes that are
really started and stopped, and a journal of every change. The entry point is `python -m local.fleet`; `http` reads the
calls, `agent` carries them out, `state` records them, `instance` runs the processes.
"""
