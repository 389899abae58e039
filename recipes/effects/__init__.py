"""Pictures of what each bundled recipe does, made from the embedded sample alone."""
