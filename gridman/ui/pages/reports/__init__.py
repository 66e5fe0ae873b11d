"""Reports: choose, preview at once, print or save."""
