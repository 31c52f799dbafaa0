"""What people see in Slack: pure builders."""
