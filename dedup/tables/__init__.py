"""Findings to Parquet tables."""
