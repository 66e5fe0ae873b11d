"""One day in a demonstration street, played with the product's own code: real geometry, fictional people."""
