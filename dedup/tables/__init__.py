"""What was found to Parquet tables."""
