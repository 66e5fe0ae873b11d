"""Synchronisation: what is sent, waits or was refused, and the conflicts to review."""
