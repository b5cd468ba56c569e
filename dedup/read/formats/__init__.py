"""One reader per format: files in, rows of articles out."""
