"""How many edited copies are found in scripts without spaces, and how many wrongly."""

import random
import re
from collections import defaultdict
from itertools import combinations

import pytest
from support.figures import Figure

from enrich.dedup.decide import compare
from enrich.dedup.fingerprint import choose_keys, fingerprint
from enrich.messages import Fingerprint

pytestmark = pytest.mark.quality

EDITED_SHARE = 0.05  # in place of one: another, one more, or none
N_EDITS = 60  # of each article

# Short pieces of about a hundred characters.
PIECES = {
    "zh 1": (
        "河口市政府周三宣布将关闭老城区的三座石桥进行检修。检查人员上周在桥墩下面发现"
        "了多处裂缝。市长林佩华说安全永远比交通方便更加重要。预计工程需要十个月才能完"
        "成期间公共汽车将绕行北岸大道。附近的商店老板担心顾客会因此减少并要求市里给予"
        "补偿。"
    ),
    "zh 2": (
        "一群小学生在山坡上挖土豆时发现了一枚古代铜币。博物馆专家鉴定后认为它已有一千"
        "四百年的历史。孩子们的老师立刻通知了当地文物部门。考古队下个月将在那里展开正"
        "式发掘。村民们希望这项发现能为偏远的山村带来更多游客和收入。"
    ),
    "zh 3": (
        "南湾造船厂的工人因为拖欠工资从星期一开始罢工。工会代表指出大约八百名职工已经"
        "四个月没有领到薪水。厂方承认资金周转困难但是承诺月底之前付清。银行方面拒绝延"
        "长贷款期限。省里派出调解小组希望双方尽快回到谈判桌前。"
    ),
    "zh 4": (
        "研究人员给迁徙途中的黑颈鹤装上了微型发射器。数据表明这些鸟每天最多能够飞行六"
        "百公里。它们在高原湖泊边停留的时间比过去缩短了将近一半。科学家认为湿地干涸可"
        "能是主要原因。保护区计划在春天恢复两片沼泽并限制放牧。"
    ),
    "zh 5": (
        "首场比赛中主队在最后一分钟踢进制胜一球。替补前锋韩松接到角球以后用头把球顶入"
        "网窝。教练赛后表示年轻队员的表现超出了他的预料。客队门将因为与裁判争执被罚下"
        "场。下一轮他们将在雨季来临之前前往海岛城市作客。"
    ),
    "zh 6": (
        "新的地铁线路将在国庆节前投入试运行。全长三十二公里的线路连接机场与大学城。票"
        "价由原来的九元降低到六元。列车采用自动驾驶技术但仍会安排一名司机值守。乘客代"
        "表对车站内缺少电梯表示失望并呼吁尽快改进。"
    ),
    "ja 1": (
        "港町の古い灯台が来年の春に一般公開されることになった。市の担当者によると内部"
        "の階段を直す工事がほぼ終わったという。灯台は百二十年前に石で建てられ漁師たち"
        "の道しるべとなってきた。地元の高校生が案内役を務める予定で英語の練習も始まっ"
        "ている。"
    ),
    "ja 2": (
        "県内のりんご農家が遅霜の被害に頭を悩ませている。四月の冷え込みで花の三割が枯"
        "れたと農協は見ている。収穫量は平年の半分まで落ちこむおそれがある。若い生産者"
        "の中には寒さに強い品種へ植え替える動きも出てきた。"
    ),
    "ja 3": (
        "大学の研究チームは紙のように薄い電池を開発したと発表した。折り曲げても性能が"
        "ほとんど落ちないのが特長だ。医療用の小さな機器に使えると期待されている。量産"
        "には費用を十分の一まで下げる必要があり企業と協力を進める。"
    ),
    "ja 4": (
        "夜行列車の最後の便が土曜日の夜に駅を離れた。ホームには別れを惜しむ人が千人以"
        "上集まり手を振った。運転士の父も同じ列車を走らせていたと話し目を赤くした。車"
        "両の一つは鉄道博物館に引き取られて秋から展示される。"
    ),
    "ko 1": (
        "시립 도서관이 한 달 동안 문을 닫고 지붕을 고친다. 지난여름 폭우로 물이 새면"
        "서 책 이천 권이 젖었기 때문이다. 도서관은 공사 기간에 버스를 개조한 이동 서"
        "고를 운영하기로 했다. 주민들은 아이들이 방학 숙제를 할 곳이 없어진다며 걱정"
        "했다."
    ),
    "ko 2": (
        "어촌 마을 앞바다에서 길 잃은 고래 한 마리가 구조됐다. 어민들은 그물에 걸린 "
        "고래를 세 시간 만에 풀어 주었다. 해양 연구소는 등에 작은 추적기를 달아 이동 "
        "경로를 살펴볼 계획이다. 전문가들은 먹이가 줄어 해안 가까이 온 것으로 본다."
    ),
    "ko 3": (
        "국내 전기 자전거 판매가 이 년 사이 두 배로 늘었다. 배달 기사들이 기름값을 아"
        "끼려고 바꾸는 경우가 많다. 소방 당국은 값싼 전지에서 불이 나는 사고를 경고했"
        "다. 정부는 내년부터 모든 제품에 안전 인증을 요구하기로 했다."
    ),
    "th 1": (
        "ชาวบ้านริมแม่น้ำช่วยกันวางกระสอบทรายก่อนน้ำหลากจะมาถึงในคืนวันศุกร์ นายอำเภอ"
        "สั่งปิดโรงเรียนสิบสองแห่งและเปิดวัดเป็นที่พักชั่วคราว เจ้าหน้าที่คาดว่าระดับ"
        "น้ำจะลดลงภายในสี่วันหากฝนไม่ตกเพิ่ม"
    ),
    "th 2": (
        "นักวิทยาศาสตร์พบกบชนิดใหม่บนภูเขาทางภาคเหนือ มันมีขนาดเล็กกว่าเหรียญและร้องเ"
        "สียงเหมือนนก ทีมงานใช้เวลาเดินป่านานสามสัปดาห์ก่อนจะถ่ายภาพได้ อุทยานจะปิดเส"
        "้นทางบางส่วนเพื่อปกป้องที่อยู่ของมัน"
    ),
    "mixed 1": (
        "スマートフォン大手 Norvia は新型機 Norvia Fold 3 を10月に発売する。価格は12"
        "万円からで OLED の画面を二つ備える。同社の CEO である Anna Lindqvist は記者"
        "会見で折り目が見えないと語った。国内では三つの通信会社が取り扱う。"
    ),
    "mixed 2": (
        "汽车公司 Helvar Motors 计划在2027年推出第一款氢能卡车。工程师 David Okoro 说"
        "一次加注可以行驶900公里。公司已经与 Port of Altona 签订合同并将在港区建设四"
        "座加氢站。环保组织 Clean Air Now 对这个计划表示欢迎。"
    ),
}

# The same words about different things: flashes that a template made.
TEMPLATED = {
    "quake 1": (
        "五日午前七時ごろ茨城県南部で震度四の地震がありました。この地震による津波の心"
        "配はありません。"
    ),
    "quake 2": (
        "十九日午後二時ごろ熊本県北部で震度三の地震がありました。この地震による津波の"
        "心配はありません。"
    ),
    "market 1": (
        "星期一股市收盘沪指上涨百分之一点二银行股领涨。两市成交额超过九千亿元。"
    ),
    "market 2": (
        "星期四股市收盘沪指下跌百分之零点六煤炭股领跌。两市成交额不足七千亿元。"
    ),
    "weather 1": (
        "내일 서울은 맑고 낮 최고 기온은 이십사 도로 예상됩니다. 미세 먼지는 좋음입니"
        "다."
    ),
    "weather 2": (
        "모레 부산은 흐리고 낮 최고 기온은 십구 도로 예상됩니다. 미세 먼지는 나쁨입니"
        "다."
    ),
}

Texts = dict[str, str]


def articles() -> Texts:
    """Return articles of two pieces each: 200 characters and more."""
    pairs = zip(PIECES, list(PIECES)[1:], strict=False)
    return {
        f"{one} and {other}": PIECES[one] + PIECES[other]
        for one, other in pairs
        if one.split()[0] == other.split()[0]
    }


def edited(text: str, seed: str) -> str:
    """Change a twentieth of the characters, and of the words where there are spaces."""
    chance = random.Random(seed)  # noqa: S311
    parts = re.findall(r"[A-Za-z0-9]+|[^A-Za-z0-9]", text)
    letters = [part for part in parts if part.isalnum()]
    changed: list[str] = []
    for part in parts:
        other = chance.choice(letters)
        if part in " 。" or chance.random() >= EDITED_SHARE:
            changed.append(part)
        else:
            changed.append(chance.choice([other, part + other, ""]))
    return "".join(changed)


def is_found(one: Fingerprint, other: Fingerprint) -> bool:
    """Look up by key, then compare, as the store does."""
    return (
        bool(set(choose_keys(one)) & set(choose_keys(other)))
        and compare(one, other) is not None
    )


def find_edits(texts: Texts) -> dict[str, list[bool]]:
    """Return whether each edit of each text was found, by language."""
    found: dict[str, list[bool]] = defaultdict(list)
    for name, text in texts.items():
        original = fingerprint("", text)
        for number in range(N_EDITS):
            copy = fingerprint("", edited(text, f"{name} {number}"))
            found[name.split()[0]].append(is_found(copy, original))
    return found


@pytest.mark.parametrize(
    ("of", "floor"), [("articles", 0.99), ("short pieces", 0.97)], ids=["long", "short"]
)
def test_edits_of_one_character_in_twenty_are_found(
    of: str, floor: float, figure: Figure
) -> None:
    found = find_edits(articles() if of == "articles" else PIECES)
    for language, one in found.items():
        figure(f"copies without spaces, {of}, {language}", sum(one) / len(one))
    every = [one for edits in found.values() for one in edits]
    recall = sum(every) / len(every)
    figure(f"copies without spaces, {of}, recall", recall, floor=floor)


def test_the_first_half_of_a_text_is_found() -> None:
    for name, text in PIECES.items():
        half = fingerprint("", text[: len(text) // 2])
        assert is_found(half, fingerprint("", text)), name


def test_different_articles_are_no_copies_nor_are_flashes_of_one_template() -> None:
    texts = PIECES | TEMPLATED
    prints = {
        (name, number): fingerprint("", edited(text, str(number)) if number else text)
        for name, text in texts.items()
        for number in range(4)
    }
    wrong = [
        (one, other)
        for one, other in combinations(prints, 2)
        if one[0] != other[0] and compare(prints[one], prints[other])
    ]
    assert wrong == []
