"""What many waiting canaries hold and cost: measured, and shown as a table."""
