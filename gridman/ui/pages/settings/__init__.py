"""Choices of this computer, and what it is."""
