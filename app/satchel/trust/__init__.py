"""Signed metadata: which manifests a site's keys vouch for.

The Update Framework (https://theupdateframework.io), by python-tuf's own client, unmodified.
Imported only when somebody asks for updates: nothing else in the package needs it.
"""

from satchel.trust.client import Trust

__all__ = ["Trust"]
