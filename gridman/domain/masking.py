"""Hiding the middle of personal values on lists, prints and exports.

The rules follow `resources/codes/masking_rules.csv`; `MASKS` finds one by its name there, so that a column of a form
can name its rule. Every function is total: any text in, text out, and a value too short to keep both ends is hidden whole.
"""

import re
from collections.abc import Callable
from types import MappingProxyType

from gridman.domain.days import read_day

__all__ = [
    "MASKS",
    "mask_address",
    "mask_bank",
    "mask_birth",
    "mask_certificate",
    "mask_id",
    "mask_id_strict",
    "mask_landline",
    "mask_name",
    "mask_name_middle",
    "mask_phone",
    "mask_plate",
    "mask_within",
]

_TWO_BY_TWO = (
    "欧阳司马上官诸葛夏侯皇甫尉迟公孙慕容令狐长孙宇文司徒司空东方南宫西门独孤轩辕端木百里呼延东郭南郭羊舌公冶公羊公西澹台濮阳"
    "淳于单于太叔申屠仲孙钟离鲜于闾丘亓官司寇颛孙拓跋赫连万俟闻人第五左丘谷梁梁丘东门宗政乐正漆雕壤驷巫马纳兰完颜耶律贺兰"
)
_COMPOUND_SURNAMES = frozenset(_TWO_BY_TWO[i : i + 2] for i in range(0, len(_TWO_BY_TWO), 2))
_BUILDING_END = re.compile(r"^.*?(?:号楼|栋|幢|座)")
_COMPOUND_END = re.compile(r"^.*(?:小区|花园|家园|社区|村|苑)")
_TOWN_END = re.compile(r"^.*?(?:街道|镇|乡)")
_LANDLINE = re.compile(r"^(\(?0\d{2,3}\)?[- ]?)?(\d{5,8})((?:[-转]\d{1,6})?)$")
_ID_IN_TEXT = re.compile(r"(?<!\d)\d{6}[- ]?\d{8}[- ]?\d{3}[\dXx](?!\d)|(?<!\d)\d{15}(?!\d)")
_MOBILE_IN_TEXT = re.compile(r"(?<!\d)1[3-9]\d([- ]?)\d{4}\1\d{4}(?!\d)")
_LANDLINE_IN_TEXT = re.compile(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)")
_YEAR_OR_MONTH = re.compile(r"^\d{4}(?:-\d{2})?$")
_MOBILE = re.compile(r"^(\+?86[- ]?)?1[3-9]\d{9}$")


def _keep(text: str, head: int, tail: int) -> str:
    """The first `head` and last `tail` characters, the rest starred; too short a text is starred whole."""
    hidden = len(text) - head - tail
    if hidden <= 0:
        return "*" * len(text)
    return text[:head] + "*" * hidden + (text[-tail:] if tail else "")


def mask_id(number: str) -> str:
    """A citizen number with its first 6 and last 4 kept (birth date hidden); other documents keep 2 and 2."""
    text = number.strip()
    if len(text) == 18:
        return _keep(text, 6, 4)
    if len(text) == 15:  # the old citizen number: region, yymmdd, order
        return _keep(text, 6, 3)
    return _keep(text, 2, 2)


def mask_birth(day: str) -> str:
    """A birth date to its year ("1988"). A masked citizen number beside it leaves the birth date and the check character open: with the
    month known some three numbers fit, with the year some thirty-three.
    """
    text = day.strip()
    read = text if _YEAR_OR_MONTH.match(text) else read_day(text)
    return read[:4] if read else "*" * len(text)


def mask_id_strict(number: str) -> str:
    """A citizen number for screens shown to others and public notices: 3 and 3 kept."""
    return _keep(number.strip(), 3, 3)


def mask_phone(number: str) -> str:
    """A phone number: a mobile keeps 3 + 4, a landline goes by `mask_landline`; several, parted by ; , or 、 each."""
    parts = re.split(r"([;；,，、/])", number)
    return "".join(part if i % 2 else _mask_one_phone(part) for i, part in enumerate(parts))


def _mask_one_phone(number: str) -> str:
    text = number.strip()
    if _MOBILE.match(text):
        return _keep(text, len(text) - 8, 4)
    if _LANDLINE.match(text):
        return mask_landline(text)
    return _keep(text, 3, 4) if len(text) >= 10 else _keep(text, 0, 2)


def mask_landline(number: str) -> str:
    """A landline: area code and last two digits kept, an extension kept too."""
    found = _LANDLINE.match(number.strip())
    if not found:
        return _keep(number.strip(), 0, 2)
    area, digits, extension = found.groups()
    return (area or "") + _keep(digits, 0, 2) + extension


def mask_name(name: str) -> str:
    """A name with the surname kept (two characters when compound: 欧阳修 becomes 欧阳*); separators stay in place."""
    text = name.strip()
    kept = 2 if text[:2] in _COMPOUND_SURNAMES and len(text) > 2 else 1
    if len(text) <= 1:
        return "*" * len(text)
    return text[:kept] + "".join(ch if ch in "·• " else "*" for ch in text[kept:])


def mask_name_middle(name: str) -> str:
    """A name with its first and last character kept (张三丰 becomes 张*丰); two characters keep the first."""
    text = name.strip()
    return _keep(text, 1, 1) if len(text) > 2 else _keep(text, 1, 0)


def mask_address(address: str) -> str:
    """An address kept to its building, else to its compound or village; the door is hidden."""
    text = address.strip()
    found = _BUILDING_END.match(text) or _COMPOUND_END.match(text) or _TOWN_END.match(text)
    kept = found.group() if found else text[: min(6, len(text) // 2)]
    return kept + "***" if text else ""


def mask_certificate(number: str) -> str:
    """A disability certificate: the citizen number in it masked the same way, kind and grade (last two) kept."""
    text = number.strip()
    return mask_id(text[:18]) + text[18:] if len(text) >= 18 else _keep(text, 2, 2)


def mask_bank(number: str) -> str:
    """A bank card: last 4 kept, in groups of four."""
    digits = re.sub(r"\s", "", number)
    return f"**** **** **** {digits[-4:]}" if len(digits) >= 12 else "*" * len(digits)


def mask_plate(plate: str) -> str:
    """A vehicle plate: province, letter and last two kept (京A12345 becomes 京A***45)."""
    return _keep(plate.strip().replace(" ", ""), 2, 2)


def mask_within(text: str) -> str:
    """Free text with every citizen number and telephone number in it masked, parted by blanks or hyphens too: remarks hold what columns
    may not.
    """
    text = _ID_IN_TEXT.sub(lambda found: mask_id(re.sub("[- ]", "", found.group())), text)
    text = _MOBILE_IN_TEXT.sub(lambda found: mask_phone(found.group()), text)
    return _LANDLINE_IN_TEXT.sub(lambda found: mask_landline(found.group()), text)


def _restricted(value: str) -> str:
    return "〔受限〕" if value else ""


def _hide(value: str) -> str:
    return ""


def _none(value: str) -> str:
    return value


MASKS: MappingProxyType[str, Callable[[str], str]] = MappingProxyType(
    {
        "none": _none,
        "text": mask_within,
        "mask_id": mask_id,
        "mask_birth": mask_birth,
        "mask_id_strict": mask_id_strict,
        "mask_phone": mask_phone,
        "mask_landline": mask_landline,
        "mask_name": mask_name,
        "mask_name_middle": mask_name_middle,
        "mask_addr": mask_address,
        "mask_addr_optional": _none,
        "mask_cert": mask_certificate,
        "mask_bank": mask_bank,
        "mask_plate": mask_plate,
        "restricted": _restricted,
        "hide": _hide,
    }
)
"""Rule name of the code tables to function, and `text` for free text, where numbers hide among words.

`mask_addr_optional` prints unless a form asks for `mask_addr`.
"""
