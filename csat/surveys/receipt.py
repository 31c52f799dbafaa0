"""The receipt of a delivered survey."""

from datetime import datetime

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.transports import TransportName


class Receipt(FrozenModel):
    """The response of X or Slack to a survey that it accepted."""

    transport: TransportName
    id: str
    """Empty if it is not known."""
    dm_id: str
    to_user_id: str
    external_id: str = ""
    question_variant_id: int
    created_at: datetime
    updated_at: datetime
