"""What any program needs and no rule of the trade mentions."""
