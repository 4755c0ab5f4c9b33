"""The only place that talks to AWS: one small adapter per thing the core needs."""
