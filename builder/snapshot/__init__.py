"""The memory snapshot that the page's Python starts from.

`record` makes it in a real browser, once for each Pyodide, NumPy and recorder; `pack` knows its
format. The page's half is app/static/snapshot. Of the engine, only what starts it is in here: the
rest comes beside the snapshot, as bytecode (`builder.bytecode`).
"""
