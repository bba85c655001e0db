"""Side-by-side measurements against other programs; no product code."""
