"""The measuring of results: what is said, by whom, how well; who is seen, moving how.

Sound and pictures are read by PyAV and judged by libraries that the networks were never trained
against. Every judge's library is imported where it is used: those that are not installed are left
out and named. `recipes/judges` holds the clips that no training saw, the environment in which all
judges are there, and the tables.
"""
