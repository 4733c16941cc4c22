"""Measure what a Chromium page receives over the wire."""

from dataclasses import dataclass, field
from typing import Any, Self

from playwright.sync_api import Page


@dataclass
class Traffic:
    """What a page received over the wire: bytes by URL, headers included. ``asked`` are URLs by request id."""

    bytes: dict[str, int] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)

    def of(self, page: Page) -> Self:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.loadingFinished", self._came)
        return self

    def _sent(self, event: dict[str, Any]) -> None:
        self.asked[event["requestId"]] = event["request"]["url"]

    def _came(self, event: dict[str, Any]) -> None:
        url = self.asked.get(event["requestId"])
        if url is None:
            return  # requested before listening began
        self.bytes[url] = self.bytes.get(url, 0) + int(event["encodedDataLength"])
