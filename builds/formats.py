"""How pages write times, durations, counts, shares and sizes. Pure; `templatetags/formats` makes filters of these."""

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Older than this, "how long ago" says less than the date.
_RELATIVE_SECONDS = 7 * _DAY
_UNITS = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
_SIZES = ("B", "kB", "MB", "GB", "TB")


def format_ago(moment: datetime, now: datetime) -> str:
    """As "41 s ago", "3 min ago", "2 h ago", "6 d ago"; from seven days on as "9 Nov 2026". Never in the future."""
    if (now - moment).total_seconds() >= _RELATIVE_SECONDS:
        return format_date(moment)
    return f"{format_elapsed(moment, now)} ago"


def format_elapsed(since: datetime, now: datetime) -> str:
    """The largest unit: "41 s", "3 min", "2 h", "9 d". Never negative."""
    seconds = max(0, int((now - since).total_seconds()))
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size or size == 1)
    return f"{seconds // size} {unit}"


def format_date(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def format_moment(moment: datetime, now: datetime) -> str:
    """As "10 Nov, 08:05"; with the year when it is another one. In UTC."""
    day = format_date(moment) if moment.year != now.year else f"{moment.day} {moment:%b}"
    return f"{day}, {moment:%H:%M}"


def format_exact(moment: datetime) -> str:
    return f"{format_date(moment)}, {moment:%H:%M:%S} UTC"


def format_duration(seconds: float) -> str:
    """The two largest units: "19 s", "1 min 12 s", "3 d 21 h"; "<1 s" for less than one."""
    if 0 < seconds < 1:
        return "<1 s"
    rest = int(seconds)
    for place, (size, unit) in enumerate(_UNITS):
        if rest >= size:
            smaller, smaller_unit = _UNITS[place + 1] if place + 1 < len(_UNITS) else (1, "s")
            second = rest % size // smaller
            return f"{rest // size} {unit} {second} {smaller_unit}" if second else f"{rest // size} {unit}"
    return "0 s"


def format_share(part: int, whole: int) -> str:
    """The percentage with one decimal; two when under 1; "<0.01%"; "–" of nothing."""
    if not whole:
        return "–"
    percent = part * 100 / whole
    if percent == 0:
        return "0%"
    if percent < 0.01:
        return "<0.01%"
    return f"{percent:.2f}%" if percent < 1 else f"{percent:.1f}%"


def format_count(number: int) -> str:
    return f"{number:,}"


def format_plural(count: int, noun: str) -> str:
    """As "1 device", "31,204 devices"."""
    return f"{format_count(count)} {noun}{'' if count == 1 else 's'}"


def format_bytes(size_bytes: int, *, is_fine: bool = False) -> str:
    """Decimal units with one place: "4.6 MB". Below 1,000 bytes whole: "812 B". Fine: two places for 1 to 10 MB."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in _SIZES:
        # 999.95 would round to 1000.0 of its unit.
        if size < 999.95 or unit == _SIZES[-1]:
            break
        size /= 1000
    return f"{size:.{2 if is_fine and unit == 'MB' and size < 9.995 else 1}f} {unit}"


def format_difference(size_bytes: int) -> str:
    """With its sign: "+4.6 MB", "−812 B", "0 B"."""
    sign = "+" if size_bytes > 0 else "−" if size_bytes < 0 else ""
    return sign + format_bytes(abs(size_bytes))
