"""Where and when work is done."""
