"""The composition root: settings -> resources -> services -> Bolt, opened and closed in the right order."""
