"""Messages that nobody waits for: outbox notifications, low-rating alerts, the digest, App Home."""
