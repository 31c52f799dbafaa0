"""The paths of the HTTP routes that Slack and X send requests to."""

SLACK_EVENTS = "/slack/events"
X_FEEDBACK = "/x/feedback"
