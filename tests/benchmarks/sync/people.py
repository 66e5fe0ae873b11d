"""What a generated street's records say: names, numbers, addresses and notes that differ as they do in life, so that figures of bytes are
honest. Everything comes from one seeded source of chance; nothing can be anybody's (the county code 990101 does not exist).
"""

from datetime import date, timedelta
from random import Random
from typing import Any

from gridman.demo.naming import chinese_name, surname
from gridman.demo.people import COUNTY
from gridman.domain.id_number import check_character

__all__ = ["household_values", "incident_values", "person_values", "phone", "visit_values"]

_COMPOUNDS = (
    "槐安里小区", "望河花园", "和平里", "幸福苑", "怡和花园", "柳荫小区", "长乐家园", "东湖新村", "清泉小区", "兴业里", "锦绣华庭",
    "建设里",
)  # fmt: skip
_ROADS = (
    "望河路", "槐安路", "人民东路", "建设大街", "学府路", "青石巷", "柳荫街", "和平里大街", "锦绣路", "北环路",
)  # fmt: skip
_EMPLOYERS = (
    "清江机械厂", "和泰超市", "第三小学", "区人民医院", "通达物流", "锦程科技", "惠民餐馆", "建安工程队", "自由职业", "公交三公司",
    "市二中", "宏远装饰", "顺丰快递", "蓝天幼儿园", "农贸市场", "联通营业厅", "恒安物业", "供电所", "新华书店", "金桥电子",
)  # fmt: skip
_ELSEWHERE = (
    "云岭省清河市东山县", "江原省白石市南桥区", "海陵省平川市安和县", "云岭省望江市新渡镇", "北原省林泉市高台县", "中州省沛水市西山区",
)  # fmt: skip
_SAID = (
    "一切平安", "精神不错", "老人独自在家", "子女在外地工作", "血压偏高", "按时服药", "腿脚不便", "刚出院", "需要有人陪同就医",
    "已告知防诈骗知识", "检查了燃气软管", "软管老化需更换", "楼道堆放杂物", "电动车在楼道充电", "已劝说搬走", "家中有新生儿",
    "孩子放假在家", "询问医保缴费", "询问养老认证", "帮助完成手机认证", "反映下水道堵塞", "反映楼上漏水", "反映夜间噪音", "反映路灯不亮",
    "希望加装电梯", "想找保洁工作", "申请低保材料已交", "租客更换", "租期到明年三月", "房东联系不上", "家里养了两条狗", "已办犬证",
    "参加了义诊", "愿意做志愿者", "邻里关系融洽", "与楼下有纠纷", "正在装修", "暂时不住这里", "周末回来", "白天上班晚上在家",
    "约好下次再来", "门上贴了联系卡", "送去宣传单", "量了血压", "测了血糖", "代买了药", "代缴了水费", "联系了社区医生",
    "情绪低落多聊了一会", "刚失去老伴", "眼睛看不清", "听力下降", "轮椅坏了", "申请了助听器", "冬季取暖正常", "窗户漏风", "屋内整洁",
    "饮食规律", "爱下象棋", "常去公园锻炼", "近期住院检查", "下月搬家", "户口准备迁出", "新买了车", "无特殊情况", "其余正常", "已登记",
    "继续关注", "建议每周探访", "提醒锁好门窗",
)  # fmt: skip
_WORDS = (
    "老人", "孩子", "邻居", "房东", "租客", "楼道", "阳台", "厨房", "电表", "水管", "煤气", "窗户", "门锁", "空调", "冰箱", "医院", "社区",
    "居委会", "物业", "学校", "公园", "超市", "银行", "单位", "老家", "上午", "下午", "晚上", "周一", "周三", "周末", "昨天", "上周",
    "月底", "春节", "国庆", "身体", "精神", "睡眠", "饮食", "血压", "血糖", "膝盖", "心脏", "眼睛", "药费", "医保", "社保", "养老金",
    "低保", "补贴", "房租", "合同", "证件", "户口", "身份证", "电话", "微信", "快递", "工作", "生意", "退休", "打工", "上班", "上学",
    "住院", "复查", "吃药", "散步", "做饭", "带孩子", "看病", "买菜", "搬家", "装修", "出差", "探亲", "来访", "联系", "登记", "告知",
    "提醒", "询问", "帮忙", "解决", "反映", "投诉", "满意", "担心", "放心", "高兴", "不便", "困难", "紧张", "正常", "稳定", "好转", "严重",
    "及时", "经常", "偶尔", "暂时", "已经", "还要", "准备", "希望", "需要", "同意", "拒绝", "安全", "消防", "防盗", "诈骗", "垃圾", "停车",
    "噪音", "漏水", "停电", "维修", "费用", "申请", "材料", "照片", "志愿者", "网格员", "医生", "民警", "儿子", "女儿", "老伴", "孙子",
    "亲戚", "同事", "朋友",
)  # fmt: skip
_SEEN = (
    "井盖破损", "垃圾未清运", "树枝压到电线", "消防通道被占", "路面塌陷", "污水外溢", "违规搭建", "噪音扰民", "路灯损坏", "护栏松动",
    "高空抛物", "电动车飞线充电", "共享单车乱停", "小广告张贴", "宠物粪便", "墙皮脱落", "门禁失灵", "电梯异响", "水管爆裂", "油烟扰民",
)  # fmt: skip
_ASKED = (
    "请尽快处理", "已拍照", "居民多次反映", "影响通行", "有安全隐患", "夜间尤其严重", "物业称无权处理", "已设警示", "联系过业主",
    "雨天加重",
)  # fmt: skip
_ENDS = ("。", "。", "，", "；")
_ETHNIC = (*["01"] * 40, "03", "03", "11", "08", "06", "15")
_EDUCATION = ("10", "20", "21", "31", "41", "44", "61", "61", "71", "71", "81", "81", "90")
_CATEGORIES = ("A101", "A203", "A401", "A701", "A702", "A801", "A802", "A803", "A901", "B201")


def phone(chance: Random) -> str:
    """A mobile number."""
    return f"1{chance.choice('3578')}{chance.randrange(10**9):09d}"


def household_values(chance: Random, number: int, grid: int) -> dict[str, Any]:
    """A household's fields. `number`: its place in the grid; `grid`: the grid's in the street."""
    building, rest = divmod(number, 36)
    entrance, flat = divmod(rest, 12)
    compound = _COMPOUNDS[(grid * 3 + building // 4) % len(_COMPOUNDS)]
    road = f"{_ROADS[(grid * 3 + building // 4) * 7 % len(_ROADS)]}{(grid * 37 + building // 4 * 11) % 180 + 1}号"
    return {
        "number": f"{990101001 + grid // 20:09d}{grid % 20 + 1:03d}{number + 1:05d}",
        "address": f"{road}{compound}{building % 4 + 1}号楼{entrance + 1}单元{flat // 2 + 1}0{flat % 2 + 1}室",
        "walk_order": number,
        "is_rented": chance.random() < 0.22 or None,
        "phones": phone(chance) if chance.random() < 0.6 else None,
        "plate_numbers": _plate(chance) if chance.random() < 0.35 else None,
        "needs_note": _sentence(chance, _SAID, 1, 2) if chance.random() < 0.12 else None,
        "informed_on": _day(chance, 2024, 2026),
        "remark": _sentence(chance, _SAID, 1, 3) if chance.random() < 0.2 else None,
    }


def person_values(chance: Random, place: int, family: str) -> dict[str, Any]:
    """A resident's fields. `place`: 0 is the head; `family`: the head's surname, which most share."""
    sex = chance.choice("12")
    year = int(chance.triangular(1930, 2024, 1975) if place == 0 else chance.triangular(1935, 2026, 1990))
    born = date(min(year, 2025), 1, 1) + timedelta(days=chance.randrange(365))
    county = COUNTY if chance.random() < 0.7 else f"9901{chance.randrange(2, 90):02d}"
    body = f"{county}{born:%Y%m%d}{chance.randrange(1, 500) * 2 + (sex == '1') - 1:03d}"
    floating = chance.random() < 0.2
    return {
        "name": chinese_name(chance, sex, born.year, family if chance.random() < 0.7 else surname(chance)).text,
        "relation": "02" if place == 0 else chance.choice(("10", "20", "30", "41", "51")),
        "id_kind": "111",
        "id_number": body + check_character(body),
        "sex": sex,
        "birth_on": born.isoformat(),
        "phones": phone(chance) if chance.random() < 0.75 else None,
        "population_type": "03" if floating else "01",
        "household_match": "2" if floating else "1",
        "registered_address": f"{chance.choice(_ELSEWHERE)}{chance.choice(_ROADS)}{chance.randrange(1, 300)}号" if floating else None,
        "ethnic": chance.choice(_ETHNIC),
        "political": chance.choice(("13", "13", "13", "13", "01", "03")),
        "marital": chance.choice(("10", "20", "20", "30", "40")),
        "education": chance.choice(_EDUCATION),
        "workplace": chance.choice(_EMPLOYERS) if chance.random() < 0.5 else None,
        "remark": _sentence(chance, _SAID, 1, 2) if chance.random() < 0.08 else None,
    }  # fmt: skip


def visit_values(chance: Random) -> dict[str, Any]:
    """What was found at a visit."""
    outcome = chance.choices(("1", "2", "3", "5", "6"), (70, 14, 12, 3, 1))[0]
    note = _sentence(chance, _SAID, 1, 4) if outcome != "3" and chance.random() < 0.7 else None
    if note and chance.random() < 0.15:
        note += f"血压{chance.randrange(105, 175)}/{chance.randrange(60, 105)}。"
    return {
        "kind": chance.choices(("01", "02", "03", "06", "09"), (70, 15, 8, 5, 2))[0],
        "outcome": outcome,
        "needs": ";".join(sorted(chance.sample("abcdefghijkl", chance.choice((1, 1, 2))))) if outcome == "2" else None,
        "note": note,
        "measure": _sentence(chance, _SAID, 1, 2) if outcome in "26" else None,
    }


def incident_values(chance: Random, grid: int) -> dict[str, Any]:
    """What was reported; the place is where somebody clicked on the map, to the last bit."""
    what = f"{chance.choice(_SEEN)}，{_sentence(chance, _ASKED, 1, 3)}"
    return {
        "category": chance.choice(_CATEGORIES),
        "description": what,
        "place": f"{chance.choice(_ROADS)}{chance.randrange(1, 200)}号{chance.choice(('门口', '东侧', '对面', '院内', ''))}",
        "lng": 114.0 + grid * 0.002 + chance.random() * 0.002,
        "lat": 30.0 + chance.random() * 0.002,
        "source": "01",
        "level": chance.choice("1223"),
        "urgency": chance.choice("1112"),
    }


def _sentence(chance: Random, words: tuple[str, ...], least: int, most: int) -> str:
    parts = chance.sample(words, chance.randint(least, most))
    if chance.random() < 0.6:  # and in words of one's own
        parts.append("".join(chance.choices(_WORDS, k=chance.randint(3, 9))))
    return "".join(part + chance.choice(_ENDS) for part in parts[:-1]) + parts[-1] + "。"


def _plate(chance: Random) -> str:
    return "云" + chance.choice("ABCDEF") + "".join(chance.choice("ABCDEFGHJK0123456789") for _ in range(5))


def _day(chance: Random, first: int, last: int) -> str:
    return (date(first, 1, 1) + timedelta(days=chance.randrange((last - first + 1) * 365 - 40))).isoformat()
