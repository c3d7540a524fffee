from antiphon.client.errors import ClientError, ConversationRefused
from antiphon.errors import AntiphonError


def test_a_refusal_has_its_code_and_says_it() -> None:
    error = ConversationRefused(4001, "you came back by another socket")
    assert (error.code, str(error)) == (4001, "you came back by another socket (4001)")
    assert isinstance(error, ClientError)
    assert isinstance(error, AntiphonError)
