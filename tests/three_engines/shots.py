"""Screenshots, and where a colour is in them."""

import io
import re
from dataclasses import dataclass
from typing import Self

from PIL import Image, ImageChops

from tests.three_engines.people import Person

# Tolerance for each of red, green and blue, out of 255: edges blend with the background.
NEAR = 24


@dataclass(frozen=True)
class Box:
    """A rectangle in CSS pixels, which are a screenshot's pixels here."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def within(self, other: Self, pixels: float = 1) -> bool:
        """Whether no edge is outside the other box by more than ``pixels``."""
        beyond = (other.x - self.x, other.y - self.y, self.right - other.right, self.bottom - other.bottom)
        return max(beyond) <= pixels

    def grown(self, pixels: float) -> "Box":
        """Return the box extended by ``pixels`` on each side."""
        return Box(self.x - pixels, self.y - pixels, self.width + 2 * pixels, self.height + 2 * pixels)

    def near(self, other: Self, pixels: float = 1) -> bool:
        """Whether each edge is within ``pixels`` of the other box's."""
        edges = zip(
            (self.x, self.y, self.right, self.bottom), (other.x, other.y, other.right, other.bottom), strict=True
        )
        return all(abs(mine - others) <= pixels for mine, others in edges)


def boxes(person: Person, selector: str) -> list[Box]:
    """Return the elements' boxes in the viewport."""
    found = person.run(
        "return [...document.querySelectorAll(arguments[0])].map((element) => {"
        "  const { x, y, width, height } = element.getBoundingClientRect(); return [x, y, width, height]; })",
        selector,
    )
    return [Box(*numbers) for numbers in found]


def colour_of(person: Person, selector: str) -> tuple[int, int, int]:
    """Return the computed colour of the element, as red, green and blue."""
    colour = person.run("return getComputedStyle(document.querySelector(arguments[0])).color", selector)
    red, green, blue, *_ = map(int, re.findall(r"\d+", colour))
    return red, green, blue


def shot(person: Person) -> Image.Image:
    """Return a screenshot of the viewport."""
    return Image.open(io.BytesIO(person.driver.get_screenshot_as_png())).convert("RGB")


def coloured(picture: Image.Image, colour: tuple[int, int, int], area: Box) -> Box | None:
    """Return the box around the pixels of that colour within the area, or None if there are none."""
    part = picture.crop((round(area.x), round(area.y), round(area.right), round(area.bottom)))
    distances = ImageChops.difference(part, Image.new("RGB", part.size, colour)).split()
    red, green, blue = (band.point([255 if value <= NEAR else 0 for value in range(256)]) for band in distances)
    found = ImageChops.darker(ImageChops.darker(red, green), blue).getbbox()
    if found is None:
        return None
    left, top, right, bottom = found
    return Box(round(area.x) + left, round(area.y) + top, right - left, bottom - top)
