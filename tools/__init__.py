"""What developers run beside the product. No product code."""
