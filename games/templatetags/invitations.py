"""What an invitation's page shows of its link besides the text."""

import segno
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
LABEL = "QR code of the link: point the other phone's camera at it."


@register.simple_tag
def qr_code(link: str) -> SafeString:
    """An SVG element, black on white in dark mode too: not all cameras read it the other way round."""
    code = segno.make(link, error="m", micro=False)
    drawing = code.svg_inline(scale=5, dark="#000", light="#fff", svgclass=None, lineclass=None)
    element = format_html('<svg role="img" aria-label="{}" ', LABEL)
    # segno draws squares: of the link's text nothing is in it.
    return mark_safe(element + drawing.removeprefix("<svg "))  # noqa: S308
