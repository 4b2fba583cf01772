"""The manifest: one flat object from the paths of fields to digests."""

from __future__ import annotations

import pytest

from loihi_onespike.errors import FormatError
from netx_export.manifest import FREE_BYTES, MAX_MANIFEST_BYTES, checked_names, manifest_limit

DIGEST = "0123456789abcdef" * 2


def test_a_long_name_is_shown_in_part() -> None:
    with pytest.raises(FormatError) as caught:
        checked_names(f'{{"{"x" * 999}": "{DIGEST}"}}'.encode())
    assert caught.value.field == "x" * 200


def test_names_and_digests() -> None:
    raw = f'{{ "layer/12/type": "{DIGEST}",\n "onespike/name": "{DIGEST}" }}'.encode()
    assert checked_names(raw) == {"layer/12/type": DIGEST, "onespike/name": DIGEST}
    assert checked_names(b"{}") == {}


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        ("[]", "onespike/manifest", "must be one JSON object"),
        ('{"layer/0/type": {}}', "onespike/manifest", "must be one JSON object"),
        ('{"layer/0/type"', "onespike/manifest", "is not JSON"),
        ('{"layer/0/type": ' + "7" * 5000 + "}", "onespike/manifest", "is not JSON"),
        ('{"layer/0/type": 7}', "layer/0/type", "must have a digest"),
        (f'{{"layer/0/type": "{DIGEST}0"}}', "layer/0/type", "must have a digest"),
        (f'{{"layer/0/type": "{DIGEST.upper()}"}}', "layer/0/type", "must have a digest"),
        (f'{{"layer/0/type": "{DIGEST}", "layer/0/type": "{DIGEST}"}}', "layer/0/type", "must stand once"),
        (f'{{"layer/00/type": "{DIGEST}"}}', "layer/00/type", "is not a field"),
        (f'{{"../type": "{DIGEST}"}}', "../type", "is not a field"),
        (f'{{"\\ud800": "{DIGEST}"}}', "\\ud800", "is not a field"),
    ],
)
def test_anything_else_is_refused(raw: str, field: str, words: str) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        checked_names(raw.encode())
    assert caught.value.field == field


def test_text_that_is_not_utf_8() -> None:
    with pytest.raises(FormatError, match="is not JSON"):
        checked_names(f'{{"layer/0/type": "{DIGEST}"}}'.encode("utf-16"))


def test_the_limit_follows_the_file() -> None:
    assert manifest_limit(0) == FREE_BYTES and manifest_limit(1000) == FREE_BYTES + 1000
    assert manifest_limit(2**40) == MAX_MANIFEST_BYTES
