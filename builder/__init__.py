"""Everything behind `build.py`: environment, parts, the static folder, its server, the checks.

Runs on the host only. Nothing in here reaches the page except through `bundle`, and nothing in
`app/` imports it.
"""
