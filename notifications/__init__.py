"""What the app says by itself: outbox notifications, low-rating alerts, the digest, App Home."""
