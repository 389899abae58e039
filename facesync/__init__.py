"""Faces in pictures and video: find them, follow them, and give them to somebody else."""
