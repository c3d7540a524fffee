"""Instances that are made with every frame."""

from __future__ import annotations

from antiphon.types import Blob, Content
from antiphon.types.forms import former, put_together


def test_what_is_put_together_is_as_if_it_had_been_validated() -> None:
    blob = put_together(Blob, Blob(data=b"a", mime_type="image/png").__dict__.copy(), {"data", "mime_type"})
    assert blob == Blob(data=b"a", mime_type="image/png")
    assert blob.model_copy(update={"data": b"b"}).data == b"b"
    assert blob.model_dump(exclude_unset=True) == {"data": b"a", "mime_type": "image/png"}


def test_what_instances_may_not_share_is_made_for_each() -> None:
    form = former(Content, {"role": None, "parts": None}, frozenset({"role"}), [("parts", list)])
    one, other = form(role="user"), form(role="model")
    one.parts.append("changed")
    assert (other.role, other.parts, other.model_fields_set) == ("model", [], {"role"})


def test_what_counts_as_set_is_each_ones_own() -> None:
    form = Blob.form("data")
    one, other = form(data=b"a"), form(data=b"b")
    one.mime_type = "image/png"
    assert (one.model_fields_set, other.model_fields_set) == ({"data", "mime_type"}, {"data"})
