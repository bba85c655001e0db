"""What is new in a letter: by structure, by the words of nine languages, and what only looks so."""

# ruff: noqa: RUF001 (these are the letters of those languages)

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzon.wire.reading import PassageKind, read
from buzon.wire.reading.quotation import LINES_LIMIT, new_text, passages

NEW, CONTEXT, QUOTED = PassageKind.NEW, PassageKind.CONTEXT, PassageKind.QUOTED
INTRODUCTION, SIGNATURE = PassageKind.INTRODUCTION, PassageKind.SIGNATURE


def new(text: str) -> str:
    return new_text(text, passages(text))


def kinds(text: str) -> list[PassageKind]:
    return [passage.kind for passage in passages(text)]


def new_of_html(source: str) -> str:
    head = "From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    return read((head + source).encode()).reply_text


INTRODUCTIONS = {
    "English": "On Mon, Nov 2, 2026 at 10:00 AM Shop <info@shop.example> wrote:",
    "English, Apple": "On 2 Nov 2026, at 10:00, Shop <info@shop.example> wrote:",
    "English, Thunderbird": "On 11/2/26 10:00 AM, Shop wrote:",
    "English, in three lines": "On Nov 2, 2026,\nat 10:00, Shop of Ana\n<info@shop.example> wrote:",
    "Spanish": "El lun, 2 nov 2026 a las 10:00, Tienda (<info@shop.example>) escribió:",
    "Spanish, p. m.": "El lun, 2 nov 2026 a la(s) 3:10 p. m.\nTienda (info@shop.example) escribió:",
    "Spanish, day first": "El 2/11/26 a las 10:00, Tienda escribió:",
    "Portuguese": "Em seg., 2 de nov. de 2026 às 10:00, Loja <info@shop.example> escreveu:",
    "French": "Le lun. 2 nov. 2026 à 10:00, Boutique <info@shop.example> a écrit :",
    "French, in two lines": "Le 02/11/2026 à 10:00, Boutique <info@shop.example>\na écrit :",
    "German": "Am Mo., 2. Nov. 2026 um 10:00 Uhr schrieb Laden <info@shop.example>:",
    "German, Thunderbird": "Am 02.11.26 um 10:00 schrieb Laden:",
    "Italian": "Il giorno lun 2 nov 2026 alle ore 10:00 Negozio <info@shop.example> ha scritto:",
    "Russian": "пн, 2 нояб. 2026 г. в 10:00, Магазин <info@shop.example>:",
    "Russian, with its verb": "2 ноября 2026 г. 10:00, Магазин написал:",
    "Polish": "pon., 2 lis 2026 o 10:00 Sklep <info@shop.example> napisał(a):",
    "Polish, day": "W dniu 2.11.2026 o 10:00, Sklep pisze:",
    "Dutch": "Op ma 2 nov 2026 om 10:00 schreef Winkel <info@shop.example>:",
    "no language": '02.11.2026, 10:00, "Shop" <info@shop.example>:',
    "an author alone": "Shop <info@shop.example> wrote:",
}


@pytest.mark.parametrize("language", INTRODUCTIONS)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_an_introduction_and_what_is_below_it(language: str, mark: str) -> None:
    quoted = f"{mark}It leaves today.\n{mark}\n{mark}Bye\n"
    text = f"It is here.\nThank you.\n\n{INTRODUCTIONS[language]}\n\n{quoted}"
    assert new(text) == "It is here.\nThank you."
    assert kinds(text) == [NEW, INTRODUCTION, QUOTED]


BLOCKS = {
    "English": "From: Shop <info@shop.example>\nSent: Monday, 2 November 2026 10:00\nTo: Ana\n"
    "Subject: Order",
    "Spanish": "De: Tienda\nEnviado el: lunes, 2 de noviembre de 2026 10:00\nPara: Ana\n"
    "Asunto: Pedido",
    "Portuguese": "De: Loja\nEnviado: 2 de novembro de 2026 10:00\nPara: Ana\nAssunto: Pedido",
    "French": "De : Boutique\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : Ana\nObjet : Commande",
    "German": "Von: Laden\nGesendet: Montag, 2. November 2026 10:00\nAn: Ana\nBetreff: Bestellung",
    "Italian": "Da: Negozio\nInviato: lunedì 2 novembre 2026 10:00\nA: Ana\nOggetto: Ordine",
    "Russian": "От: Магазин\nОтправлено: 2 ноября 2026 г. 10:00\nКому: Ana\nТема: Заказ",
    "Polish": "Od: Sklep\nWysłano: 2 listopada 2026 10:00\nDo: Ana\nTemat: Zamówienie",
    "Dutch": "Van: Winkel\nVerzonden: maandag 2 november 2026 10:00\nAan: Ana\nOnderwerp: Order",
    "bold": "*From:* Shop\n*Sent:* Monday\n*To:* Ana\n*Subject:* Order",
    "words alone above": "Message du 02/11/26 10:00\nDe : B <b@x.example>\nA : Ana\nObjet : X",
    "no subject": "From: Shop <info@shop.example>\nSent: Monday\nTo: Ana",
    "continued": "From: Shop\n <info@shop.example>\nSent: Monday\nTo: Ana\n Bea\nSubject: Order",
}


@pytest.mark.parametrize("language", BLOCKS)
@pytest.mark.parametrize("rule", ["", "________________________________\n", "-----\n\n"])
def test_header_fields_and_what_is_below_them(language: str, rule: str) -> None:
    text = f"Llegó.\n\n{rule}{BLOCKS[language]}\n\nSale hoy.\n"
    assert new(text) == "Llegó."
    assert kinds(text) == [NEW, INTRODUCTION, QUOTED]


@pytest.mark.parametrize(
    "divider",
    [
        "-----Original Message-----",
        "----- Mensaje original -----",
        "-------- Mensagem original --------",
        "-------- Message d'origine --------",
        "-----Ursprüngliche Nachricht-----",
        "----- Messaggio originale -----",
        "-------- Исходное сообщение --------",
        "-------- Wiadomość oryginalna --------",
        "-----Oorspronkelijk bericht-----",
        "---------- Forwarded message ---------",
        "---------- Mensaje reenviado ---------",
        "Inicio del mensaje reenviado:",
        "Début du message réexpédié :",
    ],
)
def test_a_divider_and_what_is_below_it(divider: str) -> None:
    assert new(f"Llegó.\n\n{divider}\n\nSale hoy.\n") == "Llegó."


def test_below_a_divider_only_what_is_marked_is_quoted_where_marks_are() -> None:
    text = f"Llegó.\n\n-----Original Message-----\n{BLOCKS['English']}\n\n> Sale.\n\nMañana no.\n"
    assert new(text) == "Llegó.\n\nMañana no."


def test_replies_between_the_quoted_lines_keep_what_they_answer() -> None:
    text = (
        "On 2 Nov 2026, at 10:00, Shop <info@shop.example> wrote:\n"
        "> Good morning.\n>\n> Which size?\n\nM.\n\n> Which colour?\nBlue.\n> Yours\n"
    )
    assert new(text) == "M.\n\nBlue."
    assert kinds(text) == [INTRODUCTION, QUOTED, CONTEXT, NEW, CONTEXT, NEW, QUOTED]
    context = [passage for passage in passages(text) if passage.kind is CONTEXT]
    assert [(passage.start, passage.end) for passage in context] == [(3, 5), (7, 8)]


def test_the_unmarked_end_of_a_wrapped_line_is_quoted() -> None:
    long = "> We have sent your order from our store in Seville today, with the carrier and\n"
    text = f"Fine.\n\n{long}number below.\n> Yours\n"
    assert new(text) == "Fine."


def test_a_person_who_answers_below() -> None:
    text = "On 2 Nov 2026 10:00, Shop wrote:\n> It leaves today.\n\nIt is here.\nAna\n"
    assert new(text) == "It is here.\nAna"


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAna\nTel. 600 000 000",
        "--\nAna",
        "—\nAna García\nMarketing",
        "—————\nAna García\nMarketing",
        "Sent from my iPhone",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Envoyé de mon iPhone",
        "Von meinem iPhone gesendet",
        "Inviato da iPhone",
        "Отправлено с iPhone",
        "Wysłane z iPhone'a",
        "Verstuurd vanaf mijn iPhone",
        "Obtener Outlook para Android<https://aka.ms/x>",
        "_______________________\nlist mailing list\nlist@lists.example",
    ],
)
@pytest.mark.parametrize("below", ["", "\n\nOn 2 Nov 2026 10:00, Shop wrote:\n> It leaves."])
def test_signatures(signature: str, below: str) -> None:
    text = f"It is here.\n\n{signature}{below}\n"
    assert new(text) == "It is here."
    assert SIGNATURE in kinds(text)


@pytest.mark.parametrize(
    "closing",
    ["Regards,", "Un saludo,", "Atenciosamente,", "Cordialement,", "Mit freundlichen Grüßen",
     "Cordiali saluti,", "С уважением,", "Pozdrawiam,", "Met vriendelijke groet,"],
)  # fmt: skip
def test_a_name_stays_and_a_block_of_numbers_does_not(closing: str) -> None:
    name = f"It is here.\n\n{closing}\nAna\n"
    assert new(name) == name
    block = f"{name}Marketing\nana@shop.example\n"
    assert new(block) == f"It is here.\n\n{closing}"


NEAR_MISSES = {
    "a day within a sentence": "My wife called. On Monday he wrote:\nit comes tomorrow.\n",
    "a verb at a line's end": "On 3 May 2026 I called, and then you wrote\nthat it had left.\n",
    "words that begin like a date": "On the other hand:\n\nit is blue.\nOn average: three.\n",
    "an arrow": "Open the page\n> Orders > Mine\nand there it is not.\n",
    "an emoticon": "It is broken\n>:(\n",
    "fields in running text": "It comes From: our shop, to: my house, Date: unknown.\n",
    "two fields are no letter": "De: Sevilla\nPara: Madrid\n\n¿Cuánto cuesta el envío?\n",
    "dashes of a list": "I want:\n-- two shirts\n-- one hat\n\nThanks\n",
    "rules of one's own": "First\n--\nSecond\n--\nThird\n",
    "a heading": "Sizes\n-----\nM and L\n\n----------\n\nBye: Ana\n",
    "a time": "I was at home\n2 Nov 2026 10:00\nand nobody came.\n",
    "a device in a sentence": "It works.\n\nSent from my desk, it would never have worked.\n",
    "where it was sent from": "Enviado desde Madrid\nel lunes, y no llega: ¿por qué?\n",
    "thanks and an order": "Thanks,\n\ntwo of 123-456-789\nto: Calle Mayor 3\nana@x.example\n",
    "a somebody": "Something wrote:\nthe system did not.\n",
    "an order": "Quiero dos\n\nPara: Ana García\nDe: Tienda\nCalle: Mayor 3\nFecha: 3/11/2026\n",
    "a date, an address": "Quedamos el 3/11/2026 a las 10:00 en ana@x.example:\nyo la llevo\n",
    "to whom one wrote": "I wrote to info@shop.example:\nno answer.\n",
    "what one wrote of": "The letter of 3.5.2026 in which Ana wrote:\nit is here.\n",
    "a dash before words": "Missing:\n-- message du 3 mai\n-- original message\n",
    "an address and a colon": "Write to me at ana@x.example:\nI am there.\n",
}


@pytest.mark.parametrize("case", NEAR_MISSES)
def test_what_only_looks_so(case: str) -> None:
    assert passages(NEAR_MISSES[case]) == ()
    assert new(NEAR_MISSES[case]) == NEAR_MISSES[case]


def test_a_letter_that_was_only_forwarded_has_nothing_new() -> None:
    text = f"\n{BLOCKS['German']}\n\nHallo\n"
    assert new(text) == ""
    assert kinds(text) == [INTRODUCTION, QUOTED]


HTML = {
    "Gmail": '<div>New</div><div class="gmail_quote"><div class="gmail_attr">{intro}<br></div>'
    '<blockquote class="gmail_quote">Old<div>older</div></blockquote></div>',
    "Thunderbird": 'New<br><div class="moz-cite-prefix">{intro}<br></div>'
    '<blockquote type="cite" cite="mid:a@b"><p>Old</p></blockquote><br>',
    "Apple Mail": "New<br><div><blockquote type=cite><div>{intro}</div>Old</blockquote></div>",
    "Outlook": '<p>New</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt">'
    "<p>{intro}</p></div><p>Old</p><table><tr><td>older</table>",
    "Outlook of the web": '<div>New</div><div id="appendonsend"></div><hr>'
    '<div id="divRplyFwdMsg">{intro}</div><div>Old</div>',
    "Outlook for telephones": '<div>New</div><div id="ms-outlook-mobile-signature">App</div>'
    '<div id="mail-editor-reference-message-container"><div>{intro}</div>Old</div>',
    "Hotmail": '<div>New<hr id="stopSpelling">{intro}<br>Old</div>',
    "Yahoo": '<div>New</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>{intro}</div>'
    "<div>Old</div></div>",
    "Roundcube": '<p>New</p><p id="reply-intro">{intro}</p><blockquote type=cite>Old</blockquote>',
    "GMX": '<div>New<div name="quote" style="border-left:2px solid">{intro}<p>Old</p></div></div>',
    "a signature": '<p>New</p><div class="gmail_signature">Ana<div>Shop</div></div>',
    "a line": '<p>New</p><blockquote style="border-left:1px solid #ccc">Old</blockquote>',
}


@pytest.mark.parametrize("program", HTML)
def test_the_structure_of_html_needs_no_language(program: str) -> None:
    assert new_of_html(HTML[program].format(intro="Ignotus quidam dixit")) == "New"


def test_answers_between_the_blockquotes() -> None:
    source = (
        '<div class="gmail_quote"><div class="gmail_attr">Ignotus</div>'
        '<blockquote class="gmail_quote">Which size?</blockquote><div>M</div>'
        '<blockquote class="gmail_quote">Which colour?</blockquote><div>Blue</div></div>'
    )
    assert new_of_html(source) == "M\n\nBlue"


def test_a_blockquote_that_only_indents_is_new() -> None:
    assert new_of_html('<p>A</p><blockquote style="margin:0 0 0 40px">B</blockquote>') == "A\n\nB"


def test_marks_do_not_change_the_text() -> None:
    marked = '<p>A</p><div class="gmail_signature">B<div>C</div></div>D&#2;\x02E'
    head = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    plain = marked.replace("gmail_signature", "x").replace("\x02", " ")
    assert read(head + marked.encode()).text == read(head + plain.encode()).text


def test_a_mark_that_a_sender_writes_means_nothing() -> None:
    assert new_of_html("a<br>\x02quoted<br>\x02x<br>b") == "a\nquoted\nx\nb"


LINE = st.sampled_from(
    ["", " ", "> a", ">> b", ">", "Hola:", "-- ", "--", "—", "____", "a@b.example",
     "Sent from my x", "On 2 Nov 2026, a@b.example wrote:", "El 2 nov", "escribió:", "From: a",
     "To: b", "Subject: c", "-----Original Message-----", "Regards,", "texto", "Tel. 600 000 000"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(LINE, max_size=40))
def test_every_line_is_in_one_passage(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = passages(text)
    covered = [number for passage in found for number in range(passage.start, passage.end)]
    assert covered == list(range(len(text.split("\n")) if found else 0))
    assert all(line in ["", *lines] for line in new(text).split("\n"))


HUGE: dict[str, Callable[[int], str]] = {
    "quoted lines": lambda size: "> hola qué tal\n" * size,
    "one line": lambda size: "x:" * size * 80,
    "nested marks": lambda size: ">" * size * 2,
    "deeper and deeper": lambda size: "\n".join(">" * (n % 500) for n in range(size)),
    "introductions without end": lambda size: "El 2 nov 2026 a las 10:00 Ana <a@b.es>\n" * size,
    "colons": lambda size: "On 1:\n" * size,
    "fields": lambda size: "From: a\nDate: b\n" * size,
    "dashes": lambda size: "--\n" * size,
    "blank lines": lambda size: ("On 1:\n" + "\n" * 300) * (size // 100),
    "answers": lambda size: "> a\nb\n" * size,
    "verbs": lambda size: "wrote @ " * size * 10,
}


@pytest.mark.parametrize("case", HUGE)
def test_linear_time(case: str) -> None:
    """Eight times as much takes about eight times as long, and the largest is soon done."""
    small, large = HUGE[case](7_500), HUGE[case](60_000)
    spent(small)
    ratio = spent(large) / max(spent(small), 0.001)
    assert ratio < 40
    assert spent(large) < 2


def spent(text: str) -> float:
    started = time.process_time()
    new_text(text, passages(text))
    return time.process_time() - started


@pytest.mark.parametrize("tag", ["<blockquote type=cite>", "<div class=gmail_attr>a</div>b"])
def test_html_in_linear_time(tag: str) -> None:
    octets = b"Content-Type: text/html\r\n\r\n" + tag.encode() * 60_000
    started = time.process_time()
    read(octets)
    assert time.process_time() - started < 4


def test_lines_beyond_the_limit_belong_to_the_last_passage() -> None:
    text = "Hola.\n" + "> a\n" * LINES_LIMIT + "b\n" * 5
    assert new(text) == "Hola."
    assert passages(text)[-1].end == len(text.split("\n"))
