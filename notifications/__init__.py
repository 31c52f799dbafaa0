"""Messages that the app posts by itself: outbox notifications, low-rating alerts, the digest, App Home."""
