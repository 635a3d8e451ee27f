"""One instance and its process: how it is started and what it answers. The zygote and the server of an instance import
the standard library only.
"""
