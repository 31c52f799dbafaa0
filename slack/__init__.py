"""Everything that knows Slack's Web API."""
