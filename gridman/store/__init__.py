"""The only storey that speaks SQL: database, unit of work, journal, search, named queries, migrations."""
