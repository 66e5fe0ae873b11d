"""Hundreds of desks at work on one street for minutes on end: `python -m tests.soak --desks 300 --minutes 10`."""
