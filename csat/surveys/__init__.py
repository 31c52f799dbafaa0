"""The domain, pure: drafts, surveys, recipients, questions, states, limits, responses."""
