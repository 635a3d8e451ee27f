"""The fleet's answer, an instance's lifecycle, its next step and its rollback."""
