"""Values for hypothesis to draw from."""

from hypothesis import settings
from hypothesis import strategies as st

TEXT = st.text(max_size=60) | st.text(st.sampled_from('@x.com/twi_1 \n<>|#!&;:"*'), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)

FEW_EXAMPLES = settings().max_examples // 2
"""For properties whose every example is a conversation with a database."""
