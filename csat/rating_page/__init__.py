"""The page on which a customer rates: what is served to the public, and nothing else."""
