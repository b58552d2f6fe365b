"""Looks at all that a mesh needs, and says how to mend what is wrong: one module for each kind of thing."""
