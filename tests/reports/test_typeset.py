"""Ink: fonts, rare characters, watermark, photos, QR, and that the same values give the same bytes."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from gridman.kernel.progress import Cancelled
from gridman.reports.document import Cell, Column, Document, Fact, Form, Group, PageWords, Paper, Picture, Table
from gridman.reports.typeset import typeset
from tests.reports import sheets
from tests.reports.paper import printed

WORDS = PageWords(
    page_of="第 {page} 页 共 {pages} 页",
    continued="（续）",
    undrawable="缺字：{names}",
    colon="：",
    bad_picture="照片已损坏",
    step="正在排版",
)


def _document(*names: str, **options: object) -> Document:
    table = Table(
        columns=(Column("姓名", 30), Column("备注", 60)), groups=tuple(Group(((name, ""),)) for name in names)
    )
    values = {"title": "测试", "paper": Paper.A4_PORTRAIT, "words": WORDS, "blocks": (table,), **options}
    return Document(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("char", sheets.RARE + "𠮷·")
def test_a_rare_character_is_drawn_and_can_be_copied_out(char: str) -> None:
    receipt, paper = printed(_document(f"吴{char}珍"))
    assert receipt.undrawable == ()
    assert f"吴{char}珍" in paper.text(0)
    _, blank = printed(_document("吴珍"))
    _, other = printed(_document("吴国珍"))
    drawn = paper.pixels(scale=2).tobytes()
    assert drawn != blank.pixels(scale=2).tobytes()
    assert drawn != other.pixels(scale=2).tobytes()


def test_rare_characters_are_drawn_in_bold_headings_too() -> None:
    _, paper = printed(_document("甲", title="𠀀村𬭚社区"))
    assert "𠀀村𬭚社区" in paper.text(0)


def test_many_different_characters_survive_the_fonts_subsets() -> None:
    text = "".join(chr(n) for n in range(0x4E00, 0x4E00 + 900)) + "".join(chr(n) for n in range(0x20000, 0x20000 + 400))
    _, paper = printed(_document(*[text[n : n + 20] for n in range(0, len(text), 20)]))
    joined = paper.joined()
    assert all(text[n : n + 20] in joined for n in range(0, len(text), 20))


def test_a_character_no_font_has_is_printed_as_its_code_point_and_named() -> None:
    receipt, paper = printed(_document("王\U00030001明", "李平"))
    assert receipt.undrawable == ("王\U00030001明",)
    assert "王〔U+30001〕明" in paper.joined()
    assert "缺字：王〔U+30001〕明" in paper.joined()
    assert "缺字" not in printed(_document("李平"))[1].joined()


def test_controls_and_invisible_marks_do_not_reach_the_paper() -> None:
    receipt, paper = printed(_document("王\ufe00\u200b明\x07\tA"))
    assert receipt.undrawable == ()
    assert "王明 A" in paper.text(0).replace("  ", " ")


def test_same_values_give_the_same_bytes_whatever_was_printed_before() -> None:
    first = printed(_document("吴𠀀珍", printed_at=1_795_406_400_000))[1].content
    printed(_document("别的文档䶮"))
    assert printed(_document("吴𠀀珍", printed_at=1_795_406_400_000))[1].content == first


def test_metadata_tells_title_author_batch_and_time_of_printing() -> None:
    document = _document("甲", author="王芳", batch="批号：B-7", printed_at=1_795_406_400_000)
    metadata = printed(document)[1].metadata()
    assert (metadata["Title"], metadata["Author"], metadata["Keywords"]) == ("测试", "王芳", "批号：B-7")
    assert metadata["CreationDate"].startswith("D:20261123040000")


def test_the_watermark_is_on_every_page_and_darkens_no_spot_by_more_than_an_eighth() -> None:
    document = _document(*(f"居民{n}" for n in range(80)), watermark="望江街道 王芳 2026-11-23 14:32 B-7")
    marked, plain = printed(document, watermark=True)[1], printed(document)[1]
    assert len(marked) > 1
    for page in range(len(marked)):
        assert marked.text(page).count("王芳 2026-11-23 14:32 B-7") >= 5
        with_mark, without = marked.pixels(page, 2), plain.pixels(page, 2)
        darker = [before - after for before, after in zip(without.tobytes(), with_mark.tobytes(), strict=True)]
        assert min(darker) >= -1 and 15 < max(darker) < 32


def test_facts_that_do_not_fit_one_line_take_two_and_stay_on_the_paper() -> None:
    facts = tuple(Fact(f"事实{n}", "望江街道办事处柳荫社区") for n in range(9))
    _, paper = printed(_document("甲", facts=facts))
    assert all(f"事实{n}：望江街道办事处柳荫社区" in paper.joined() for n in range(9))
    width, height = paper.size()
    assert all(box[0] > 0 and box[2] < width and box[1] > 0 and box[3] < height for _, box in paper.boxes())


def test_the_qr_code_is_the_text_it_should_be() -> None:
    import segno

    _, paper = printed(_document("甲", qr="gridman:F01:B-20261123-0007"))
    scale = 4.0
    pixels = paper.pixels(scale=scale)
    side, right, top = 19 * 72 / 25.4, (210 - 15 + 2) * 72 / 25.4, (12 - 2) * 72 / 25.4
    rows = [list(row) for row in segno.make_qr("gridman:F01:B-20261123-0007", error="m", mask=3).matrix_iter(border=4)]
    unit = side / len(rows)
    seen = [
        [
            int(
                pixels.getpixel((int((right - side + (x + 0.5) * unit) * scale), int((top + (y + 0.5) * unit) * scale)))
                < 128
            )
            for x in range(len(rows))
        ]
        for y in range(len(rows))
    ]
    assert seen == rows


def _photo_document(*images: bytes) -> Document:
    cell = Cell(label="照片", pictures=tuple(Picture(image, f"图{n}") for n, image in enumerate(images)))
    return _document(blocks=(Form(rows=((cell,),)),))


def test_a_photo_is_drawn_upright_and_without_its_camera_data() -> None:
    from PIL import Image

    half = Image.new("RGB", (80, 60), "#0000ff")
    half.paste("#ff0000", (0, 0, 40, 60))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right: the left half comes to the top
    exif[0x010E] = "SECRET-PLACE"
    out = io.BytesIO()
    half.save(out, "JPEG", exif=exif, quality=95)
    _, paper = printed(_photo_document(out.getvalue()))
    assert b"SECRET-PLACE" in out.getvalue() and b"SECRET-PLACE" not in paper.content
    picture = paper.colours()
    red = [y for y in range(picture.height) for x in range(0, picture.width, 4) if _is(picture.getpixel((x, y)), 0)]
    blue = [y for y in range(picture.height) for x in range(0, picture.width, 4) if _is(picture.getpixel((x, y)), 2)]
    assert red and blue and max(red) <= min(blue) + 2


def _is(pixel: tuple[int, int, int], channel: int) -> bool:
    return pixel[channel] > 200 and sum(pixel) - pixel[channel] < 100


def test_a_damaged_photo_says_so_and_the_sheet_is_printed() -> None:
    _, paper = printed(_photo_document(b"not a photo", sheets.jpeg()[:200], sheets.jpeg()))
    assert paper.joined().count("照片已损坏") == 2
    assert "图2" in paper.text(0)


def test_twenty_photos_all_find_their_place() -> None:
    _, paper = printed(_photo_document(*[sheets.jpeg()] * 20))
    assert len(paper) > 1
    assert paper.joined().count("图") == 20


def test_stopping_leaves_no_file(tmp_path: Path) -> None:
    def stop(done: int, total: int, step: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        typeset(_document("甲"), tmp_path / "roster.pdf", stop)
    assert list(tmp_path.iterdir()) == []
    assert typeset(_document("甲"), tmp_path / "roster.pdf").pages == 1
    assert (tmp_path / "roster.pdf").read_bytes().startswith(b"%PDF-1.")


def test_progress_ends_at_the_number_of_pages() -> None:
    seen: list[tuple[int, int, str]] = []
    document = _document(*(f"居民{n}" for n in range(400)))
    receipt = typeset(document, io.BytesIO(), lambda done, total, step="": seen.append((done, total, step)))
    assert seen[0] == (0, receipt.pages, "正在排版") and seen[-1][:2] == (receipt.pages, receipt.pages)


def test_a_long_form_value_goes_on_over_pages_with_its_label_repeated() -> None:
    text = "".join(chr(0x5000 + n) for n in range(3000))
    form = Form(rows=((Cell(label="事件描述", value=text),), (Cell(label="归档号", value="A-1"),)))
    _, paper = printed(_document(blocks=(form,)))
    cells = paper.joined().replace("事件描述（续）", "")
    assert len(paper) > 1
    assert set(text) <= set(cells)
    assert all("事件描述" in paper.joined(page) for page in range(len(paper)))
    assert "A-1" in paper.joined(len(paper) - 1)


def test_a_document_replaced_in_one_value_differs() -> None:
    assert (
        printed(_document("甲"))[1].content != printed(replace(_document("甲"), batch="B-8", footer=("x",)))[1].content
    )


def test_the_file_names_its_language_and_asks_for_both_sides_of_the_paper() -> None:
    content = printed(_document("甲", language="zh_CN"))[1].content
    assert b"/Lang (zh-CN)" in content
    assert b"/Duplex /DuplexFlipLongEdge" in content
    wide = printed(_document("甲", paper=Paper.A4_LANDSCAPE))[1].content
    assert b"/Duplex /DuplexFlipShortEdge" in wide


def test_building_a_document_does_not_load_the_pdf_library() -> None:
    import subprocess
    import sys

    code = "import sys, gridman.reports.catalogue; sys.exit('reportlab' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
