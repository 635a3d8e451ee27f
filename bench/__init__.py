"""The measurements, in packages by what they measure; this package itself has the parts that several of them use.

In: a running stack of the bench (`bench.stack`). Out: tables on the console and a JSON file under `bench/results`.
The entry point is `python -m bench` (`bench.__main__`); bench/README.md describes every command and column.
"""
