"""What comes over the wire for a page of Chromium's."""

from dataclasses import dataclass, field
from typing import Any, Self

from playwright.sync_api import Page


@dataclass
class Traffic:
    """What came over the wire for a page, headers included: bytes by address. ``asked`` are addresses by request."""

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
            return  # asked for before anybody listened
        self.bytes[url] = self.bytes.get(url, 0) + int(event["encodedDataLength"])
