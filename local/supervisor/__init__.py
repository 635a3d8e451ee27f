"""Processes of the stack: started as which account, recorded, found again, and stopped with all they started."""
