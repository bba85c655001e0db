"""What mail programs and people write around a letter, by language: data.

English, Spanish, Portuguese, French, German, Italian, Russian, Polish, Dutch; of some more what is
as short. All in lower case, except what begins a device's line.
"""

# ruff: noqa: RUF001 (these are the letters of those languages)

COLONS = (":", "：")

# The header fields that a program repeats above the letter it quotes, and what each of them is.
_FIELDS = {
    "from": (
        "from, de, desde, von, da, mittente, от, от кого, od, nadawca, van, fra, från, lähettäjä, "
        "від, 发件人, expéditeur, remitente, remetente"
    ),
    "date": (
        "sent, date, enviado, enviado el, fecha, fecha de envío, enviada, enviada em, enviado em, "
        "enviada el, data, envoyé, envoyé le, message du, gesendet, gesendet am, datum, inviato, "
        "inviato il, отправлено, дата, wysłano, wysłane, data wysłania, verzonden, verzonden op, "
        "sendt, dato, skickat, lähetetty, надіслано, enviat, 发送时间, 日期"
    ),
    "to": (
        "to, para, à, a, an, кому, do, aan, til, till, destinatario, destinatário, destinataire, "
        "vastaanottaja, per a, reply-to, 收件人"
    ),
    "cc": "cc, bcc, cco, cci, ccn, copie à, copia, kopie, копия, dw, udw, kopi, kopia, 抄送",
    "subject": (
        "subject, asunto, assunto, objet, sujet, betreff, oggetto, тема, temat, onderwerp, emne, "
        "ämne, aihe, assumpte, 主题"
    ),
}
FIELDS = {name: field for field, names in _FIELDS.items() for name in names.split(", ")}

# The words before the date.
OPENINGS = (
    "on, el, o, em, le, il, il giorno, in data, am, den, op, w dniu, dnia, on the, on day, a, "
    "el día, em data de, em dia, в, pada, den"
).split(", ")

# How the names of days and months begin.
DAYS = (
    "mon, tue, wed, thu, fri, sat, sun, lun, mar, mié, mie, jue, vie, sáb, sab, dom, seg, ter, "
    "qua, qui, sex, mer, jeu, ven, sam, dim, mo, di, mi, do, fr, sa, so, gio, пн, вт, ср, чт, пт, "
    "сб, вс, понед, вторн, сред, четв, пятн, субб, воскр, pon, wt, śr, sr, czw, pt, pią, sob, nie, "
    "ma, wo, vr, za, zo, din, woe, don, vri, zat, zon, jan, feb, mar, apr, may, jun, jul, aug, "
    "sep, oct, nov, dec, ene, abr, ago, dic, fev, mai, set, out, dez, janv, févr, avr, juin, juil, "
    "août, déc, dés, gen, mag, giu, lug, ott"
).split(", ")

# The verb of such a line: "On … Ana wrote:".
VERBS = frozenset(
    (
        "wrote, writes, escribió, escribio, escribe, escrito, escreveu, escreve, écrit, schrieb, "
        "geschrieben, schreibt, scritto, scrive, написал, написала, написал(а), пишет, писал, "
        "писал(а), napisał, napisała, napisał(a), pisze, schreef, geschreven, skrev, kirjoitti, "
        "írta, написав, escriure"
    ).split(", ")
)

# The words of a divider, between dashes or with a colon behind; more may follow ("… from Ana").
DIVIDERS = tuple(
    (
        "original message, mensaje original, mensagem original, message d'origine, "
        "message d’origine, message original, message initial, ursprüngliche nachricht, "
        "originalnachricht, original-nachricht, messaggio originale, messaggio d'origine, "
        "исходное сообщение, первоначальное сообщение, оригинальное сообщение, "
        "wiadomość oryginalna, oryginalna wiadomość, oorspronkelijk bericht, origineel bericht, "
        "oprindelig besked, oprindelig meddelelse, opprinnelig melding, originalmeddelande, "
        "missatge original, "
        "forwarded message, mensaje reenviado, mensagem encaminhada, mensagem reencaminhada, "
        "message transféré, message transmis, weitergeleitete nachricht, messaggio inoltrato, "
        "пересылаемое сообщение, пересланное сообщение, przekazana wiadomość, "
        "wiadomość przekazana, przesłana wiadomość, doorgestuurd bericht, "
        "message du, "
        "begin forwarded message, inicio del mensaje reenviado, início da mensagem encaminhada, "
        "início da mensagem reencaminhada, début du message transféré, "
        "début du message réexpédié, anfang der weitergeleiteten nachricht, "
        "inizio messaggio inoltrato, начало переадресованного сообщения, "
        "начало пересылаемого сообщения, początek przekazywanej wiadomości, "
        "begin doorgestuurd bericht"
    ).split(", ")
)

# How the last line begins that a telephone or a program adds by itself.
DEVICES = tuple(
    (
        "Sent from, Sent via, Sent with, Get Outlook for, Enviado desde, Obtener Outlook para, "
        "Obtén Outlook para, Enviado do, Enviado a partir d, Enviada do meu, Obter o Outlook para, "
        "Baixar o Outlook para, Envoyé de, Envoyé depuis, Envoyé à partir d, Obtenir Outlook pour, "
        "Télécharger Outlook pour, Von meinem, Gesendet von, Gesendet mit, Outlook für, "
        "Diese Nachricht wurde von mein, Inviato da, Scarica Outlook per, Ottieni Outlook per, "
        "Отправлено с, Отправлено из, Скачать Outlook, Получить Outlook, Wysłane z, Wysłano z, "
        "Pobierz Outlook, Pobierz aplikację Outlook, Verzonden vanaf, Verstuurd vanaf, "
        "Verzonden met, Outlook voor, Download Outlook voor, Enviat des d"
    ).split(", ")
)

# The words before a name at a letter's end. No thanks: after these people go on with their order.
CLOSINGS = tuple(
    (
        "regards, best regards, kind regards, warm regards, many regards, sincerely, "
        "yours sincerely, yours faithfully, cheers, all the best, saludos, un saludo, "
        "saludos cordiales, un cordial saludo, cordiales saludos, atentamente, cordialmente, "
        "reciba un cordial saludo, atenciosamente, cumprimentos, com os melhores cumprimentos, "
        "melhores cumprimentos, abraços, cordialement, bien cordialement, bien à vous, "
        "salutations, sincères salutations, mit freundlichen grüßen, mit freundlichem gruß, "
        "mit freundlichen grüssen, freundliche grüße, viele grüße, liebe grüße, beste grüße, mfg, "
        "cordiali saluti, distinti saluti, saluti, un saluto, с уважением, с наилучшими "
        "пожеланиями, pozdrawiam, z poważaniem, z wyrazami szacunku, serdecznie pozdrawiam, "
        "met vriendelijke groet, met vriendelijke groeten, vriendelijke groet, groeten, groet"
    ).split(", ")
)
