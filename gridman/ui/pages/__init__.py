"""One room per page; pages do not know each other."""
