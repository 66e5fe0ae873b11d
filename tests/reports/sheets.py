"""Fictional sheets to print: a street that does not exist, in county 990101."""

import io
import random
from collections.abc import Callable
from typing import Any

from gridman.domain.sheets import (
    HouseholdSheet,
    IncidentSheet,
    IncidentStep,
    PersonLine,
    Photo,
    RosterHousehold,
    RosterSheet,
    SheetStamp,
    VehicleLine,
    VisitLine,
    VisitSheet,
)
from gridman.kernel.clock import from_day

RARE = "䶮㛃㸆𬭚𪣻𫗧𠀀"
"""Extension A, Extensions B to F in the main font, and Extension B only in the second font."""

LONG_NAME = ("阿卜杜热西提·买买提依明·" + "艾则孜" * 40)[:100]

STAMP = SheetStamp(
    who="王芳",
    organisation="望江街道办事处",
    printed_at=from_day("2026-11-23", 14, 32),
    batch="B-20261123-0007",
    purpose="入户走访核对",
    device="desk-03",
)

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂兰" + RARE
_RELATIONS = ("户主", "配偶", "长子", "次女", "孙子")


def person(n: int, random_: random.Random) -> PersonLine:
    """One resident; the numbers differ for every `n`."""
    name = random_.choice(_SURNAMES) + "".join(random_.choices(_GIVEN, k=random_.choice((1, 2, 2))))
    year, month, day = random_.randint(1940, 2018), random_.randint(1, 12), random_.randint(10, 28)
    return PersonLine(
        name=name,
        relation=_RELATIONS[n % 5],
        sex=random_.choice("男女"),
        ethnic_group=random_.choice(("汉族", "汉族", "回族", "维吾尔族")),
        born_on=f"{year}-{month:02d}-{day:02d}",
        id_number=f"990101{year}{month:02d}{day:02d}{n % 1000:03d}{random_.choice('0123456789X')}",
        education=random_.choice(("小学", "初中", "高中", "大学本科")),
        political_status=random_.choice(("群众", "中共党员", "共青团员")),
        marital_status=random_.choice(("未婚", "已婚", "丧偶")),
        registered_address=random_.choice(("", "示例省示例市临江区望江街道柳荫社区3号楼2单元501室")),
        residence_state=random_.choice(("一致", "分离")),
        workplace=random_.choice(("", "自由职业", "临江区环境卫生服务中心")),
        phones=(f"138{n:08d}", "010-12345678") if n % 7 == 0 else (f"138{n:08d}",),
        care=random_.choice(((), (), ("独居老人",), ("高龄老人", "低保对象"))),
        remark=random_.choice(("", "", "走访时请敲门", "女儿电话13912345678")),
    )


def roster(n_households: int = 40, seed: int = 3) -> RosterSheet:
    """A grid's households with one to five people each."""
    random_ = random.Random(seed)
    number = 0
    households = []
    for n in range(n_households):
        people = []
        for _ in range(random_.choice((1, 2, 3, 3, 4, 5))):
            number += 1
            people.append(person(number, random_))
        households.append(
            RosterHousehold(
                number=f"H{n + 1:06d}",
                door=f"{n // 24 + 1}-{n % 4 + 1}-{n // 4 % 6 + 1}0{n % 2 + 1}",
                head_name=people[0].name,
                people=tuple(people),
            )
        )
    return RosterSheet(
        community="柳荫社区",
        grid_name="第一网格",
        grid_code="990101001001001",
        worker="李敏",
        households=tuple(households),
    )


def jpeg(colour: str = "#aa3333", size: tuple[int, int] = (80, 60), **options: object) -> bytes:
    """A plain photo."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **options)
    return out.getvalue()


def household() -> HouseholdSheet:
    random_ = random.Random(5)
    return HouseholdSheet(
        file_no="990101001001-0002",
        community="柳荫社区",
        grid="第一网格",
        compound="柳荫小区",
        building="3号楼",
        unit="2",
        room="501",
        house_type="商品房",
        use="自用",
        area_m2="89.50",
        owner="欧阳修远",
        head_name="吴𠀀珍",
        head_phone="13812345678",
        people=tuple(person(n, random_) for n in range(7, 10)),
        vehicles=(VehicleLine(plate="京A12345", colour="白", brand="示例"),),
        economy="城乡居民医保；城乡居民养老保险",
        needs="楼道灯不亮，希望尽快维修。",
        visits=(VisitLine(on="2026-10-12", visitor="李敏", content="老人身体状况良好。", handling="已转物业"),),
        token="k3J9xQ2m",
    )


def incident() -> IncidentSheet:
    return IncidentSheet(
        number="990101001-20261123-000012",
        source="网格员巡查上报",
        reporter="李敏",
        reporter_phone="13812345678",
        reported_at=from_day("2026-11-23", 9, 56),
        grid="柳荫社区第一网格",
        category="公共设施 / 道路破损",
        level="一般",
        happened_at=from_day("2026-11-23", 9, 40),
        place="柳荫路与望江路交叉口东侧人行道",
        longitude_deg=116.391234,
        latitude_deg=39.907654,
        description="人行道地砖塌陷约两平方米，露出管线，有老人险些绊倒。已用警示带围住。",
        involved="张伟 99010119800101123X，电话13912345678；望江物业公司",
        photos=(Photo(image=jpeg(), caption="塌陷处"),),
        accepted=IncidentStep(organisation="望江街道办事处", person="王芳", at=from_day("2026-11-23", 10, 11)),
        dispatched_to="区市政管理中心",
        deadline_at=from_day("2026-11-24", 14),
        token="q7Zt",
    )


def visit() -> VisitSheet:
    return VisitSheet(
        on="2026-11-23",
        started_at=from_day("2026-11-23", 9, 10),
        ended_at=from_day("2026-11-23", 9, 35),
        visitor="李敏",
        grid="柳荫社区第一网格",
        household="H000004",
        person="吴𠀀珍",
        address="柳荫小区3号楼2单元501",
        way="入户",
        kind="日常走访",
        situation="独居，血压偏高按时服药；燃气灶软管老化。",
        needs="希望有人每周代购一次药品。",
        done="当场更换软管；登记代购需求。",
        to_route="代购服务转社区养老服务站。",
        follow_up_on="2026-11-30",
        photos=(Photo(image=jpeg("#3333aa"), caption="更换后的软管"),),
        token="v5Rw",
    )


SAMPLES: dict[str, Callable[[], Any]] = {"F01": roster, "F02": household, "F05": incident, "F06": visit}
