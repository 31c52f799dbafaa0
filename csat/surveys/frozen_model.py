"""The base class of the models."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A frozen model; its validation errors, which may be logged, don't repeat the input."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
