import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types as official
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from antiphon.types import (
    Blob,
    CacheMetadata,
    ClosedEnum,
    Content,
    FinishReason,
    FunctionCall,
    GoAway,
    Modality,
    Model,
    OpenEnum,
    Part,
    SessionResumptionUpdate,
    SpeechConfig,
    UsageMetadata,
    VoiceActivity,
)
from antiphon.types.model import later


class Colour(ClosedEnum):
    RED = "RED"
    BLUE = "BLUE"


class Mood(OpenEnum):
    CALM = "CALM"


class Reading(Model):
    colour: Colour | None = None
    mood: Mood | None = None


class Box(Model):
    """Has one default of every kind."""

    label: str
    number: int = 1
    tags: list[str] = []  # noqa: RUF012 - Pydantic copies it for each instance
    made: dict[str, int] = Field(default_factory=dict)
    inner: Reading = Field(default_factory=Reading)


class Loose(Model):
    model_config = ConfigDict(extra="ignore")

    number: int = 1
    stamps: list[int] = Field(default_factory=list)


class TestRule1Names:
    @pytest.mark.parametrize(
        "mapping",
        [
            {"inline_data": {"mime_type": "image/png"}, "thought_signature": b"x"},
            {"inlineData": {"mimeType": "image/png"}, "thoughtSignature": b"x"},
            {"inlineData": {"mime_type": "image/png"}, "thought_signature": b"x"},
        ],
    )
    def test_both_styles_are_read_in_any_mixture(self, mapping: dict[str, Any]) -> None:
        part = Part(inline_data=Blob(mime_type="image/png"), thought_signature=b"x")
        assert Part.model_validate(mapping) == Part(**mapping) == part

    def test_python_names_are_snake_case_and_json_names_camel_case(self) -> None:
        blob = Blob(mime_type="image/png")
        assert blob.model_dump(exclude_none=True) == {"mime_type": "image/png"}
        assert blob.model_dump(exclude_none=True, by_alias=True) == {"mimeType": "image/png"}

    def test_repr_leaves_out_what_is_none(self) -> None:
        assert repr(Content(parts=[Part(text="hi")])) == "Content(parts=[Part(text='hi')])"


class TestRule2ForeignObjects:
    def test_official_objects_are_read_where_ours_are(self) -> None:
        theirs = official.Content(role="model", parts=[official.Part(text="hi")])
        ours = Content(role="model", parts=[Part(text="hi")])
        assert Content.model_validate(theirs) == ours
        assert Content.model_validate({"role": "model", "parts": theirs.parts}) == ours

    def test_our_own_objects_pass_as_they_are(self) -> None:
        part = Part(text="hi")
        content = Content(parts=[part])
        assert content.parts is not None
        assert content.parts[0] is part
        assert Content.model_validate(content) is content

    def test_what_is_set_stays_what_is_set(self) -> None:
        assert Part.model_validate(official.Part(text="hi", thought=False)).model_fields_set == {
            "text",
            "thought",
        }

    def test_a_subclass_of_an_official_class_counts_as_that_class(self) -> None:
        class Picture(official.Blob):
            pass

        assert Blob.model_validate(Picture(data=b"x")) == Blob(data=b"x")

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            (GoAway(time_left="10s"), official.LiveServerGoAway(time_left="10s")),
            (
                SessionResumptionUpdate(new_handle="h", resumable=True),
                official.LiveServerSessionResumptionUpdate(new_handle="h", resumable=True),
            ),
            (
                UsageMetadata(candidates_token_count=3),
                official.GenerateContentResponseUsageMetadata(candidates_token_count=3),
            ),
            (UsageMetadata(response_token_count=3), official.UsageMetadata(response_token_count=3)),
        ],
    )
    def test_renamed_classes_are_recognised(self, ours: Model, theirs: BaseModel) -> None:
        assert type(ours).model_validate(theirs) == ours

    def test_foreign_enum_members_become_ours(self) -> None:
        kind = official.VoiceActivityType.ACTIVITY_START
        activity = VoiceActivity.model_validate({"voice_activity_type": kind})
        assert (
            activity.voice_activity_type
            is VoiceActivity.model_validate(
                official.VoiceActivity(voice_activity_type=kind)
            ).voice_activity_type
        )
        assert type(activity.voice_activity_type).__module__.startswith("antiphon")

    def test_an_object_of_another_name_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="valid dictionary or instance of Part"):
            Part.model_validate(official.Blob(data=b"x"))
        with pytest.raises(ValidationError, match="valid dictionary or instance of Part"):
            Part.model_validate(7)

    def test_a_default_that_the_foreign_instance_made_for_itself_is_taken_over(self) -> None:
        theirs = ForeignLoose()
        theirs.stamps.append(7)
        assert Loose.model_validate(theirs).stamps == [7]


class Wide(BaseModel):
    number: int = 1
    other: str | None = None
    stamps: list[int] = Field(default_factory=list)


ForeignLoose: Any = type("Loose", (Wide,), {})
ForeignReading: Any = type("Reading", (Wide,), {})


class TestRule3UnknownFields:
    def test_an_unknown_key_is_refused_by_name(self) -> None:
        with pytest.raises(ValidationError, match=r"mimetype\n.*Extra inputs are not permitted"):
            Blob.model_validate({"mimetype": "image/png"})

    def test_an_unknown_field_set_on_a_foreign_object_is_refused_by_name(self) -> None:
        with pytest.raises(
            ValidationError, match="Reading has other set, which antiphon does not have in its Reading"
        ):
            Reading.model_validate(ForeignReading(other="x"))

    def test_an_unknown_field_that_is_unset_none_or_made_is_passed_over(self) -> None:
        assert Reading.model_validate(ForeignReading(other=None)) == Reading()

    def test_a_class_that_ignores_keys_ignores_foreign_fields(self) -> None:
        assert Loose.model_validate(ForeignLoose(number=2, other="x")) == Loose(number=2)


class TestRule4Bytes:
    @pytest.mark.parametrize("text", ["_-8=", "/+8=", "_-8", "/+8"])
    @pytest.mark.parametrize("read", [Blob.model_validate, lambda m: Blob(**m)])
    def test_either_alphabet_is_read_padded_or_not(self, text: str, read: Callable[[Any], Blob]) -> None:
        assert read({"data": text}).data == b"\xff\xef"
        assert Blob.model_validate_json(f'{{"data": "{text}"}}').data == b"\xff\xef"
        assert Part.model_validate({"inlineData": {"data": text}}) == Part(inline_data=Blob(data=b"\xff\xef"))

    @given(st.binary())
    def test_bytes_stay_bytes_and_are_written_as_the_official_package_writes_them(self, data: bytes) -> None:
        ours = Blob(data=data)
        assert ours.data == data
        written = ours.model_dump_json(exclude_none=True)
        assert written == official.Blob(data=data).model_dump_json(exclude_none=True)
        assert Blob.model_validate_json(written) == ours

    def test_what_is_not_base64_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="valid base64"):
            Blob.model_validate({"data": "no base64!"})


class TestRule5Enums:
    @pytest.mark.parametrize("value", ["red", "Red", "RED", Colour.RED])
    def test_case_does_not_matter(self, value: str) -> None:
        assert Reading.model_validate({"colour": value}).colour is Colour.RED
        assert Colour(value) is Colour.RED
        assert Mood("calm") is Mood.CALM

    def test_an_unknown_value_of_the_users_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(ValidationError, match="Input should be 'RED' or 'BLUE'"):
            Reading.model_validate({"colour": "GREEN"})
        with pytest.raises(ValueError, match="'GREEN' is no Colour; known are RED, BLUE"):
            Colour("GREEN")
        with pytest.raises(ValueError, match="3 is no Colour"):
            Colour(3)

    def test_an_unknown_value_of_the_models_is_kept(self) -> None:
        reading = Reading.model_validate({"mood": "odd"})
        assert isinstance(reading.mood, Mood)
        assert [reading.mood, reading.mood.name, reading.mood.value] == ["odd"] * 3
        assert reading.mood not in list(Mood)
        assert reading.model_dump_json(exclude_none=True) == '{"mood":"odd"}'
        assert Reading.model_validate_json('{"mood": "odd"}') == reading
        assert pickle.loads(pickle.dumps(reading)) == copy.deepcopy(reading) == reading

    def test_what_is_no_string_is_refused_everywhere(self) -> None:
        with pytest.raises(ValidationError, match="CALM"):
            Reading.model_validate({"mood": 3})

    def test_members_are_strings_as_in_the_official_package(self) -> None:
        assert Modality.AUDIO == "AUDIO"
        assert str(Modality.AUDIO) == str(official.Modality.AUDIO)
        assert f"{FinishReason.STOP}" == f"{official.FinishReason.STOP}"
        theirs: Any = official.Modality.AUDIO
        assert Modality.AUDIO == theirs


class TestTrusted:
    def test_is_like_a_validated_instance(self) -> None:
        trusted = Box.trusted(label="x", number=2)
        validated = Box(label="x", number=2)
        assert trusted == validated
        assert trusted.model_fields_set == validated.model_fields_set == {"label", "number"}
        assert trusted.model_dump_json() == validated.model_dump_json()
        assert trusted.model_dump_json(exclude_unset=True) == '{"label":"x","number":2}'
        assert trusted.model_extra is None
        assert copy.copy(trusted) == copy.deepcopy(trusted) == trusted.model_copy() == validated
        assert repr(trusted) == repr(validated)

    def test_defaults_are_fresh_for_each_instance(self) -> None:
        one, other = Box.trusted(label="x"), Box.trusted(label="x")
        one.tags.append("a")
        one.made["a"] = 1
        one.inner.mood = Mood.CALM
        assert (other.tags, other.made, other.inner) == ([], {}, Reading())

    def test_given_fields_win_over_fresh_defaults(self) -> None:
        assert Box.trusted(label="x", made={"a": 1}).made == {"a": 1}

    def test_fields_are_written_in_their_order_whatever_the_order_they_were_given_in(self) -> None:
        trusted = Box.trusted(tags=[], number=2, label="x")
        assert list(trusted.model_dump()) == list(Box.model_fields)
        assert trusted.model_dump_json() == Box(label="x", number=2, tags=[]).model_dump_json()

    def test_works_on_frozen_classes_which_stay_frozen(self) -> None:
        trusted = CacheMetadata.trusted(fingerprint="f", contents_count=1)
        assert trusted == CacheMetadata(fingerprint="f", contents_count=1)
        with pytest.raises(ValidationError, match="frozen"):
            setattr(trusted, "fingerprint", "g")  # noqa: B010 - mypy knows that it is frozen

    def test_unknown_and_missing_names_are_errors(self) -> None:
        with pytest.raises(TypeError, match=r"Blob\.trusted.*mimeType"):
            Blob.trusted(mimeType="image/png")
        with pytest.raises(TypeError, match=r"Box\.trusted.*label"):
            Box.trusted(number=1)

    def test_nests_and_can_be_changed_and_read_as_a_field(self) -> None:
        part = Part.trusted(function_call=FunctionCall.trusted(name="f", args={}))
        part.thought = True
        assert part == Part(function_call=FunctionCall(name="f", args={}), thought=True)
        assert Content(parts=[part]).model_dump_json() == Content.trusted(parts=[part]).model_dump_json()

    def test_a_form_makes_the_same_whenever_the_same_fields_are_set(self) -> None:
        made, trusted = Box.form("label", "number"), Box.trusted(label="x", number=2)
        one, other = made(label="x", number=2), made(number=2, label="x")
        assert one == other == trusted
        assert one.model_fields_set == trusted.model_fields_set
        assert one.model_dump_json() == trusted.model_dump_json()
        one.tags.append("a")
        one.number += 1
        assert other == trusted

    def test_a_form_of_unknown_or_missing_names_is_an_error(self) -> None:
        with pytest.raises(TypeError, match=r"Blob\.trusted.*mimeType"):
            Blob.form("mimeType")
        with pytest.raises(TypeError, match=r"Box\.trusted.*label"):
            Box.form("number")

    def test_fields_that_are_set_later_count_as_set(self) -> None:
        blob = Blob.trusted(data=b"x")
        blob.set_trusted(mime_type="image/png")
        assert (blob, blob.model_fields_set) == (
            Blob(data=b"x", mime_type="image/png"),
            {"data", "mime_type"},
        )

    def test_subclasses_have_their_own_defaults(self) -> None:
        class Loud(SpeechConfig):
            volume: int = 11

        assert Loud.trusted(language_code="de-DE") == Loud(language_code="de-DE")
        assert Loud.trusted().volume == 11


class TestLater:
    class Holder(BaseModel):
        model_config = ConfigDict(defer_build=True)
        held: later("antiphon.types.media", "Blob") | None = None  # type: ignore[valid-type]

    def test_is_the_class_it_names(self) -> None:
        assert self.Holder(held={"mimeType": "image/png", "data": ""}).held == Blob(
            mime_type="image/png", data=b""
        )
        assert self.Holder.model_json_schema()["$defs"].keys() == {"Blob"}
        with pytest.raises(ValidationError, match=r"held\.nothing"):
            self.Holder(held={"nothing": 1})

    def test_loads_nothing_before_the_class_is_used(self) -> None:
        class Waiting(BaseModel):
            model_config = ConfigDict(defer_build=True)
            field: later("antiphon.types.not_there", "Anything")  # type: ignore[valid-type]

        with pytest.raises(ModuleNotFoundError, match="not_there"):
            Waiting(field=1)


class Holding(Model):
    """With what each kind of value stands in: a field, an extra one, a private one."""

    model_config = ConfigDict(extra="allow")
    name: str = ""
    tags: list[str] = Field(default_factory=list)
    blob: Blob | None = None
    others: list["Holding"] = Field(default_factory=list)
    _seen: list[str] = PrivateAttr(default_factory=list)


class TestDeepCopy:
    def test_shares_nothing_that_can_change(self) -> None:
        whole = Holding.model_validate(
            {"name": "a", "tags": ["x"], "blob": Blob(data=b"1"), "more": {"of": ["it"]}}
        )
        whole._seen.append("once")

        for copied in (copy.deepcopy(whole), whole.model_copy(deep=True)):
            assert copied == whole
            assert copied.model_fields_set == whole.model_fields_set
            assert (copied._seen, copied.model_extra) == (["once"], {"more": {"of": ["it"]}})
            copied.tags.append("y")
            copied._seen.append("twice")
            copied.name = "b"
            assert copied.blob is not None and copied.model_extra is not None
            copied.blob.data = b"2"
            copied.model_extra["more"]["of"].append("all")

        assert (whole.name, whole.tags, whole._seen) == ("a", ["x"], ["once"])
        assert whole.blob == Blob(data=b"1")
        assert whole.model_extra == {"more": {"of": ["it"]}}

    def test_what_is_shared_inside_is_shared_in_the_copy(self) -> None:
        whole = Holding(blob=Blob(data=b"1"))
        whole.others = [whole, Holding(blob=whole.blob)]

        copied = copy.deepcopy(whole)

        assert copied.others[0] is copied
        assert copied.others[1].blob is copied.blob is not whole.blob

    def test_of_subclasses_with_a_copy_of_their_own(self) -> None:
        class Once(str):
            def __deepcopy__(self, memo: Any) -> "Once":
                return Once(f"{self} again")

        whole = Holding.trusted(name=Once("told"))

        assert copy.deepcopy(whole).name == "told again"
