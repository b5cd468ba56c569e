"""The steps of a scan, each named after what it makes."""
