"""What a person needs to see in the morning."""
