"""Sync: how a desk and the street bring each other up to date (ARCHITECTURE.md; the design's letters D1-D14 are quoted in comments)."""
