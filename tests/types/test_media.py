from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import Blob, FileData, Model, VideoMetadata
from antiphon.types.media import mime_type_of

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (Blob, {"data": "_-8=", "displayName": "noise", "mimeType": "audio/pcm;rate=16000"}),
    (FileData, {"fileUri": "gs://b/a.png", "mimeType": "image/png"}),
    (VideoMetadata, {"endOffset": "9s", "fps": 0.5, "contentLayers": ["FRAMES", "AUDIO"]}),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_bytes_and_files_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)


def test_the_suffix_of_an_address_tells_its_mime_type() -> None:
    assert mime_type_of("gs://bucket/cat.png") == "image/png"
    with pytest.raises(ValueError, match=r"'gs://bucket/cat'.*pass mime_type="):
        mime_type_of("gs://bucket/cat")
