"""One instance and its process: how it is started, what it answers. The zygote and the server of an instance import
the standard library only."""
