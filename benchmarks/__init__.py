"""Measurements side by side: Antiphon, google-adk, and a bare WebSocket client, in one run on one machine.

`python -m benchmarks` (or `make bench`). Ratios are what counts; nothing here is a timed test.
`work`, `round` and `subjects` also run in google-adk's interpreter, which has nothing of ours: they use the
standard library and their own subject only.
"""
