"""By what names are sorted, the same in both databases."""

import unicodedata

# An index takes no longer ones.
MAX_CODE_POINTS = 255


def name_order(name: str) -> str:
    """What a name is sorted by, code point by code point: its letters, case and accents apart.

    Compatibility decomposition without its marks, case-folded (Unicode Standard, sections 3.11 and 3.13). It knows
    nothing of languages: `Å` stands with `A`, as for readers of English.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))[:MAX_CODE_POINTS]
