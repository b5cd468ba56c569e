"""Numbers as people read them."""

from __future__ import annotations


def plural(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: float, whole: float) -> str:
    """Write a share in per cent; a small one never shows as 0 %, nor a large one as 100 %."""
    if not whole or not part:
        return "0%"
    share = 100 * part / whole
    if share < 1:
        return "<1%"
    if 99 < share < 100:
        return ">99%"
    return f"{share:.0f}%"


def size(count: float) -> str:
    """Write a number of bytes, in powers of 1000."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    unit = 0
    while count >= 999.5 and unit < len(units) - 1:
        count /= 1000
        unit += 1
    return (
        f"{count:.0f} {units[unit]}" if unit == 0 or count >= 9.95 else f"{count:.1f} {units[unit]}"
    )


def duration(seconds: float) -> str:
    """Write a time as one or two units."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
