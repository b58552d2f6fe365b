"""What operators change in the catalog at run time: each function is one change, whole or not at all.

Use these within `db.session(write=True)`. What an operator has written no import changes back.
"""
