"""Verbs: one function per thing a person can do. The same functions run on the desk and on the street server."""
