import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.wire import codec

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(documents)
def test_what_goes_out_comes_in_the_same(document: object) -> None:
    assert codec.loads(json.dumps(document).encode()) == document
    if "\\ud" not in json.dumps(document):
        assert codec.loads(codec.dumps(document)) == document
        assert b"\n" not in codec.dumps(document)


@given(st.binary())
def test_bytes_are_json_or_not_json(raw: bytes) -> None:
    with suppress(codec.NotJson):
        codec.loads(raw)


@pytest.mark.parametrize("raw", [b'{"a":1,"a":2}', b"NaN", b"[" * 100_000, b"9" * 21, b"\xff", b"", b"\xef\xbb\xbf{}"])
def test_refused(raw: bytes) -> None:
    with pytest.raises(codec.NotJson):
        codec.loads(raw)
