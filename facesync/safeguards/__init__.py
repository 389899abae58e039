"""What is looked at before a face is copied or swapped: whose it is, and what else is shown."""
