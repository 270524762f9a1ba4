#!/usr/bin/env python3
"""The one entry to Satchel: makes its own environment on first use, then runs the command.

`python3 build.py --help` lists the commands; `builder/` does the work.
"""

import sys

# Checked before anything newer than this sentence is parsed.
if sys.version_info < (3, 11):
    sys.exit(
        "Satchel needs Python 3.11 or newer, and this is Python %d.%d. "
        "Run build.py with a newer one, for example: python3.12 build.py" % sys.version_info[:2]
    )

from builder.bootstrap import main

if __name__ == "__main__":
    main(sys.argv[1:])
