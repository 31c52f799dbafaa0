"""The send worker, the reconciler and the circuit breaker."""
