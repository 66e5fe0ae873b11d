"""Real desks and a real street server, killed at random while they work over a bad line: `python -m tests.resilience --help`."""
