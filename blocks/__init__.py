"""Pure builders of messages and views in Slack."""
