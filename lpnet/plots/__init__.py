"""Pictures, drawn with matplotlib (extra `plots`)."""
