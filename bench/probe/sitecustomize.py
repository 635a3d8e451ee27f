"""Python runs this in every process whose PYTHONPATH has bench/probe: those of the stack of `python -m bench costs`."""

import os

if os.environ.get("BENCH_COSTS"):
    from bench.probe.install import install

    install()
