"""How a survey in Slack is known again by its message."""


def ratings_block_id(survey_id: int) -> str:
    """Return the id of the block that holds a survey's buttons."""
    return f"ratings:{survey_id}"
