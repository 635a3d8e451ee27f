"""The demo fleet in this process: its agent, its instances, and the calls between product and agent without HTTP."""
