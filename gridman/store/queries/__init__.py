"""Queries worth a name, one file per noun. They return plain rows; services turn rows into what screens show."""
