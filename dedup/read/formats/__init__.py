"""One reader a format: files in, rows of articles out."""
