"""Those who are measured. Each is a process: `python -m benchmarks.subjects.NAME`."""
