"""What an unfinished scan keeps, so that it can be resumed."""
