"""The servers under test, each a process of its own: arguments are a port and the model's address."""
