"""The domain, pure: what is asked, of whom, on whose behalf, and what may become of it."""
