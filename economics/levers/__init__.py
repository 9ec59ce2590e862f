"""What each lever changes."""
