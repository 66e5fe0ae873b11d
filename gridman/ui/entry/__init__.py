"""Quick entry: choosing by key, finding a record by typed initials, photos by drop or paste."""
