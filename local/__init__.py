"""The local stack behind `make up`, in packages by what they run; this package itself has what all of them use.

In: the commands of `python -m local` and their environment (PORT, KAFKA, LOCAL_STATE). Out: processes that listen on
127.0.0.1, and their state under `.local/`. The entry point is `Stack.up` in stack/stack.py.
"""
