"""Nouns and rules: mapped classes, states, code tables, merge, access. Pure: no disk, no network, no clock."""
