"""The fleet's response, an instance's lifecycle, its next step and its rollback."""
