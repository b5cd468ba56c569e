"""Helpers that every folder may use."""
