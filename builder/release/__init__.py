"""The release repository: what signed models a site offers, and how a new version gets into it.

python-tuf writes and verifies the metadata. `catalogue` decides what a manifest says, `artefact`
makes what a release carries, `stage` puts it all in place in one move; `commands` is the command
line's side, `source` the build's. Nothing here knows the page.
"""
