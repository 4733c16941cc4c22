"""Check the client that tests the server against the standards."""

import random
from itertools import pairwise

import pytest

from tests.support.streams import Chunks, Parser

EXAMPLES = {
    "data: first\ndata: second\nid: 1\n\n:a comment\n\nevent: board\rdata\r\r": [
        ("message", "1", "first\nsecond"),
        ("board", "1", ""),
    ],
    "id: 1\r\n\r\ndata:no space\r\n\r\n": [("message", "1", "no space")],
    "retry: 700\nevent: gone\ndata: \n\ndata: cut off": [("gone", "", "")],
    "data:  one space is left\nother: x\n\n": [("message", "", " one space is left")],
}


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.items())
def test_parser_handles_any_split_of_events(text: str, expected: list[tuple[str, str, str]]) -> None:
    for seed in range(50):
        parser = Parser()
        found = [event for part in cut(text.encode(), seed) for event in parser.feed(part)]
        found += parser.feed(b"\n") if text.endswith("\r") else []  # After \r, a \n may still follow.
        assert [(event.name, event.id, event.data) for event in found] == expected
    assert parser.retry == (700 if "retry" in text else 3000)
    assert parser.comments == text.count(":a comment")


def test_decoder_handles_any_split_of_chunks() -> None:
    for seed in range(50):
        chunks = Chunks()
        coded = b"4\r\nWiki\r\nB;name=value\r\npedia in \r\n\r\n1\r\n.\r\n0\r\n\r\n"
        assert b"".join(map(chunks.feed, cut(coded, seed))) == b"Wikipedia in \r\n."
        assert chunks.ended


def cut(data: bytes, seed: int) -> list[bytes]:
    dice = random.Random(seed)
    places = [0, *sorted(dice.sample(range(len(data)), min(seed, len(data) - 1))), len(data)]
    return [data[start:end] for start, end in pairwise(places)]
