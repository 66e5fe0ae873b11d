"""Names for the demonstration's fictional residents: the usual surnames in their usual shares, given names by generation, two in a
hundred with characters that break weaker programs, names with separators, names of people from elsewhere.
"""

from dataclasses import dataclass
from random import Random

__all__ = ["LONG_NAME", "Named", "chinese_name", "foreign_name", "given_name", "surname", "turkic_name"]

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
)
_UNUSUAL_SURNAMES = ("单", "仇", "解", "查", "区", "覃", "翟", "朴", "欧阳", "司马", "尉迟", "上官", "令狐", "万俟")
_OLD_MEN = "国建华德明志福贵荣林成义忠新民永广树玉清长海山根富"
_OLD_WOMEN = "秀桂英兰玉珍凤芳梅淑琴素云霞香莲巧翠菊月娥"
_MEN = "伟强磊军洋勇杰涛超鹏辉斌波刚健俊峰浩宇亮飞龙文博凯旭东"
_WOMEN = "芳娜敏静丽艳娟霞燕玲雪婷倩莹琳颖慧佳欣蕾璐洁媛晶"
_BOYS = "浩轩宇泽子铭睿辰奕博晨昊梓航一诺俊熙嘉懿沐景皓"
_GIRLS = "梓涵欣怡诗雨萱语桐一诺可馨思妍若汐晴悦沐苡芮瑶"
_RARE = "䶮㛃㸆𬭚𪣻𫗧𠀀𬸚㵘㮾𬍤𬬭𫖮𬎆𫍯𬇙㳘䎃"
_FIRST = ("阿依古丽", "古丽米热", "热依汗", "买买提", "艾力", "吐尔逊", "阿卜杜拉", "努尔", "帕提古丽", "迪丽努尔")
_LAST = ("买买提", "吐尔逊", "艾合麦提", "阿布都克里木", "伊明", "热合曼", "库尔班")
_LATIN = (("Anna", "2"), ("John", "1"), ("Maria", "2"), ("Peter", "1"), ("Sofia", "2"), ("Daniel", "1"))
_LATIN_LAST = ("Example", "Sample", "O'Sample", "van Demo", "de la Muestra")
_RARE_SHARE, _UNUSUAL_SHARE = 0.02, 0.015
LONG_NAME = "阿卜杜热合曼·阿布都克里木·买买提吐尔逊·艾合麦提尼亚孜·吐尔地阿吉"
"""A name of more than thirty characters, as some people have."""


@dataclass(frozen=True)
class Named:
    """A name, and whether a rare character is in it."""

    text: str
    is_rare: bool = False


def surname(random: Random) -> str:
    """A surname; the first of the list are the most frequent."""
    if random.random() < _UNUSUAL_SHARE:
        return random.choice(_UNUSUAL_SURNAMES)
    return _SURNAMES[min(int(random.expovariate(1 / 14)), len(_SURNAMES) - 1)]


def given_name(random: Random, sex: str, birth_year: int) -> Named:
    """A given name of one or two characters, as was usual in that generation."""
    is_man = sex == "1"
    if birth_year < 1966:
        characters = _OLD_MEN if is_man else _OLD_WOMEN
    elif birth_year < 1999:
        characters = _MEN if is_man else _WOMEN
    else:
        characters = _BOYS if is_man else _GIRLS
    first = random.choice(characters)
    second = random.choice(characters) if random.random() < 0.78 else ""
    if random.random() < _RARE_SHARE:
        return Named(first + random.choice(_RARE), True)
    return Named(first + second)


def chinese_name(random: Random, sex: str, birth_year: int, family: str = "") -> Named:
    """Surname (`family`, if given) and given name."""
    given = given_name(random, sex, birth_year)
    return Named((family or surname(random)) + given.text, given.is_rare)


def turkic_name(random: Random) -> Named:
    """A name with the separator U+00B7."""
    return Named(f"{random.choice(_FIRST)}·{random.choice(_LAST)}")


def foreign_name(random: Random) -> tuple[Named, str]:
    """A name in Latin letters, and its sex."""
    first, sex = random.choice(_LATIN)
    return Named(f"{first} {random.choice(_LATIN_LAST)}"), sex
