"""The simulator: several desks, one street, a bad wire, lying clocks, one random seed (see `sim.py`). Run: `python -m tests.simulation`."""
