"""Makes people: bodies of creates with names from many scripts. The same seed, the same people."""

import datetime
import random
import re
import unicodedata

# Given names, family names, native forms or titles of a script, as people write them.
SCRIPTS = {
    "Latin": (
        "Ada Grace Björn Zoë Łukasz Đorđe Ștefan İbrahim Işıl Żaneta Þórunn Ægir Ødger Jõgi Mária"
        " Nguyễn Trần François Noël Iñaki Æthel Ĝisĉjo Ħaġar Ġorġ Ķeņģis Őrs Ŝanĝo Ŵyn Ýmir Ẓāfir"
        " Eẓẓat Ʉrban Ƴero Dʒo Ənvər Ŋura",
        "Lovelace Müller Öberg O'Neil Nuñez García-Márquez Håkansson Sørensen Großmann Ðurić"
        " Kowalczyk-Żółć Čapek Ďurišová Ľubomír Vũ Đặng Phạm Şahin Gürsoy van_der_Berg de_la_Cruz"
        " d'Arc St._John MacDonald-Ross Õunapuu Ülle Špaček Ťažký Żuławski Ţepeş",
    ),
    "Cyrillic": (
        "Юрий Алёна Ђорђе Ґалина Її Щастя Ўлад Қайрат Өмүр Ҳасан Љубица Његош Џон Ѓорѓи Ќиро",
        "Щербаков Обергов Ярёменко Їжакевич Ґонґадзе Љубичић Ћирић Џамоња Қазыбек Ғабиден Ўзбек",
    ),
    "Greek": (
        "Αλέξανδρος Ζωή Ἀριστοτέλης Ὀδυσσεύς Ϊώ Εὐριπίδης Ἥρα Μαΐρα",
        "Παπαδόπουλος Ωνάσης Ξενάκης Ἀθανασίου Χατζηδάκης Καζαντζάκης",
    ),
    "Arabic": (
        "محمد فاطمة عَلِيّ مُحَمَّد آمنة إبراهيم نورالدین ژاله پروانه گلناز چنار ٹیپو",
        "الخوارزمي بن_سينا عبد_الرحمن القُرَشِيّ رضوی قاسم‌زاده حسن‌پور ہاشمی",
    ),
    "Hebrew": (
        "דוד רבקה יוֹסֵף שָׁלוֹם מִרְיָם נעמי אִילָן",
        "בן־גוריון כהן לֵוִי ז'בוטינסקי אבן_עזרא רבינוביץ׳",
    ),
    "Devanagari": (
        "कृष्ण लक्ष्मी अनुराधा श्रीधर ज्ञानेश्वर ऋषि ओंकार",
        "शर्मा त्रिपाठी क्षीरसागर मुखर्जी ठाकुर द्विवेदी फड़के",
    ),
    "Tamil": ("கிருஷ்ணன் மீனாட்சி ஸ்ரீதர் ஞானம்", "சுப்பிரமணியம் பிள்ளை ராமானுஜன்"),
    "Bengali": ("রবীন্দ্রনাথ কাজী সুকুমার", "ঠাকুর চট্টোপাধ্যায় ভট্টাচার্য"),
    "Thai": ("สมชาย กัลยา น้ำฝน วิไลวรรณ ปิยะ", "ณ_อยุธยา ศรีสุวรรณ จันทร์โอชา เพ็ชร์รัตน์"),
    "Khmer": ("សុខា ច័ន្ទ", "ហ៊ុន សែន"),
    "Tibetan": ("བསྟན་འཛིན་ སྒྲོལ་མ", "རྒྱ་མཚོ"),
    "Burmese": ("အောင်ဆန်း စုကြည်", "ကျော်ဇော"),
    "Ethiopic": ("ኃይለ ዘውዲቱ", "ሥላሴ ተፈሪ"),
    "Han": ("小龙 慕容雪 世民 𠮷野 邊 辺󠄀 淑芬 子涵", "李 欧阳 諸葛 司马 陳 㐂 黃"),
    "Hangul": ("민준 서연 지훈 하은 각", "김 이 박 남궁 제갈 각"),
    "Kana": ("はなこ タロウ ﾀﾛｳ がんばる ヴィクトル さくら ゞ", "すずき ヤマモト いとう・ジョン ﾊﾟｰｶｰ"),
    "Georgian": ("შოთა თამარ ნინო ᲨᲝᲗᲐ ჟუჟუნა", "რუსთაველი ბაგრატიონი წერეთელი"),
    "Armenian": ("Արամ Նարեկ Եւա Անի և", "Խաչատրյան Սարոյեան Տէր-Պետրոսեան"),
    "Cherokee": ("ᏎᏉᏯ ᏣᎵ", "ᏣᎳᎩ"),
    "Adlam": ("𞤀𞤣𞤤𞤢𞤥", "𞤆𞤵𞤤𞤢𞤪"),
    "Emoji": ("😀 👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 🇪🇪 1️⃣", "☃️ 💩 🧑‍🎄 ❤️‍🔥"),
}  # fmt: skip

MARKS = ["\u0301", "\u0308", "\u030a", "\u0323", "\u0337", "\u20d7", "\u0345"]
INVISIBLE = list("\u200f\u200e\u202b\u202c\u2067\u2069\u200d\u00ad\ufeff")
FORMS = ["NFC", "NFD", "NFKC", "NFKD"]
TITLES = ["Professor (emer.)", "Head of 100% things", "C:\\Users\\_", "'a' \"b\"", "</title>", ""]
LANGUAGES = ["en", "et", "ar", "zh-Hant-TW", "sr-Latn-RS", ""]
PHONES = ["+372 5555 1234", "(02) 123-45-67", "112", "+1 (555) 010-9999", ""]


def fold(name):
    """What NFKD leaves of a name in ASCII, in lower case."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def words(text):
    return [word.replace("_", " ") for word in text.split(" ") if word]


NAMES = {script: (words(given), words(family)) for script, (given, family) in SCRIPTS.items()}


def decorate(rng, name):
    """Now and then: marks upon marks, marks of direction, another normal form, another case."""
    chance = rng.random()
    if chance < 0.05:
        name = "".join(c + rng.choice(MARKS) * rng.randint(0, 3) for c in name)
    elif chance < 0.10:
        at = rng.randint(0, len(name))
        name = name[:at] + rng.choice(INVISIBLE) + name[at:]
    elif chance < 0.25:
        name = unicodedata.normalize(rng.choice(FORMS), name)
    elif chance < 0.35:
        name = rng.choice([str.upper, str.lower, str.title])(name)
    return name


def make_name(rng, names, limit):
    """One to three names, now and then up to the limit."""
    if rng.random() < 0.02:
        name = "".join(rng.choice(names) for _ in range(limit))[:limit]
    else:
        name = " ".join(rng.choice(names) for _ in range(rng.choice([1, 1, 1, 2, 3])))
    # The service trims what it is sent.
    return decorate(rng, name)[:limit].strip()


def person(rng, number, tag):
    script = rng.choice(list(NAMES))
    given, family = NAMES[script]
    first_name = make_name(rng, given, 100)
    born = datetime.date(1900, 1, 1) + datetime.timedelta(days=rng.randrange(45000))
    username = f"{re.sub('[^a-z]', '', fold(first_name))[:20] or 'person'}.{number:05}"
    return {
        "username": username,
        "email": username + rng.choice(["@example.org", "+home@example.org", "@bücher.example"]),
        "first_name": first_name,
        "last_name": make_name(rng, family, 100) if rng.random() < 0.95 else "",
        "native_name": make_name(rng, given + family, 100),
        "organization": f"{script} {decorate(rng, rng.choice(family))} {tag}",
        "job_title": make_name(rng, TITLES, 120),
        "description": "\n".join(
            make_name(rng, given + family, 300) for _ in range(rng.randint(0, 3))
        ).strip(),
        "phone_number": rng.choice(PHONES),
        "preferred_language": rng.choice(LANGUAGES),
        "birth_date": born.isoformat() if rng.random() < 0.8 else None,
        "is_support": rng.random() < 0.1,
        "is_active": rng.random() < 0.9,
        "notifications_enabled": rng.random() < 0.5,
    }


def people(n, tag, seed=20261124):
    """So many of them, with the tag in their organization."""
    rng = random.Random(seed)
    return [person(rng, number, tag) for number in range(n)]
