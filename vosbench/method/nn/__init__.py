"""What methods on torch share."""
