"""JSON on the wire: one line for every reader, and what is taken as JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.wire import codec

LINES = st.text(alphabet='a\u2028\u2029\u2026\u2014\u2018\n\r\x85é漢😀"\\', max_size=40)


@given(
    st.recursive(
        LINES | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LINES, inner, max_size=3)
    )
)
def test_a_document_is_one_line_for_everyone(document: object) -> None:
    written = codec.dumps(document)
    assert len(written.decode().replace("\x85", "").splitlines()) == 1
    assert json.loads(written) == codec.loads_trusted(written) == document


def test_separators_are_escaped_and_nothing_else() -> None:
    assert codec.dumps("a\u2028b\u2029c…—") == '"a\\u2028b\\u2029c…—"'.encode()
    assert codec.dumps("\\\u2028") == rb'"\\\u2028"'


def test_a_byte_order_mark_may_stand_before_a_body() -> None:
    assert codec.loads(b'\xef\xbb\xbf{"a": "\xef\xbb\xbf"}') == {"a": "\ufeff"}
    for twice in (b"\xef\xbb\xbf\xef\xbb\xbf{}", b"\xef\xbb\xbf", b" \xef\xbb\xbf{}"):
        with pytest.raises(codec.NotJson):
            codec.loads(twice)
