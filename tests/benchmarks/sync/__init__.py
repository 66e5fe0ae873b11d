"""A desk against its street over HTTPS, with encryption and sign-in on, on streets of three sizes. `python -m tests.benchmarks.sync`."""
