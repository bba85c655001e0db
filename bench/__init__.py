"""Side-by-side measurements against other programs. No product code."""
