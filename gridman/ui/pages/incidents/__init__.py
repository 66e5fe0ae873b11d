"""Incidents: the list beside the map, one incident with its log, its actions, and reporting one."""
