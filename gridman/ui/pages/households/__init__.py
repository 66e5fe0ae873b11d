"""The register of households: list, record, people, history."""
