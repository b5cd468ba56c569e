"""dedup for texts in memory: scores, and a scikit-learn clusterer."""
