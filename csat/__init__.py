"""The engine: takes surveys to customers and their answers back; knows neither Bolt nor Block Kit."""
