"""What every model here has in common."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A frozen model whose validation errors do not repeat what somebody typed: they end up in logs."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
