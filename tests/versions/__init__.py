"""Desks and streets of different versions, with real code of each."""
