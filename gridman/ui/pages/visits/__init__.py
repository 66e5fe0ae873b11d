"""Visits: the list, one visit, and logging one."""
