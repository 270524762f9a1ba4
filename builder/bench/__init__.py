"""Side-by-side measurements, one module each; they write `builder.report` reports."""
