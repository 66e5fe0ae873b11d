"""Formats of the outside world: spreadsheets in and out."""
