"""Routes: one thin file per noun."""
