"""Printed sheets: content first (one file per report, rows to a Document), then ink (`typeset`)."""
