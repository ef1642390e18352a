"""Local authorization lists: the tokens that stations know by themselves, kept in step with ours."""
