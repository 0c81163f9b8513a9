//! What Hungarian customers of a furniture shop write. A line that opens with `>` is the shop's answer from its own app.
//! Words in braces are filled in by `words`.

pub(super) const TALKS: &[&[&str]] = &[
    &[
        "Jó napot kívánok! Raktáron van még {item}?",
        "{count} darabra lenne szükségünk, lehetőleg {day}.",
        ">Jó napot! Igen, raktáron van, {day} tudjuk küldeni.",
        "Nagyszerű, köszönöm! Mennyibe kerülne összesen?",
        "Megrendelem, kérem, küldjék a díjbekérőt.",
    ],
    &[
        "Üdvözlöm! Árajánlatot szeretnék kérni: {item}, {count} darab.",
        "Cégként vásárolnánk, átutalással. Van mennyiségi kedvezmény?",
        ">Üdvözlöm! Tíz darab fölött 8% kedvezményt adunk.",
        "Ezt megbeszélem a kollégákkal, és jelentkezem.",
    ],
    &[
        "Sziasztok! Szállítotok ide: {city}?",
        "És kb. mennyi a szállítási díj?",
        ">Szia! Igen, 4 900 Ft-ért házhoz visszük.",
        "Szuper, akkor leadom a rendelést 👍",
    ],
    &[
        "Jó napot! A múlt héten rendeltem, de még nem kaptam visszaigazolást. Meg tudnák nézni?",
        "{name} néven adtam le, a rendelésszám: {order}.",
        "Köszönöm, közben megérkezett az e-mail, elnézést a zavarásért!",
    ],
    &[
        "Jó estét! Milyen színekben kapható {item}?",
        "A képen dió színűnek látszik, de nálunk minden tölgy.",
        "*küldök egy fényképet a szobáról",
        ">Jó estét! Tölgy színben is gyártjuk, két hét alatt.",
        "Két hét belefér. Hogyan tudok előleget fizetni?",
    ],
    &[
        "Helló! Meg lehet nézni valahol élőben is {item}?",
        "{day} ráérnék délután, akkor nyitva vannak?",
        ">Helló! Bemutatótermünk hétköznap 9-től 18 óráig várja.",
        "Rendben, ott leszünk fél öt körül. 😊",
    ],
    &[
        "Tisztelt Cím! Sérülten érkezett meg {item}, az egyik lába megrepedt.",
        "*a repedésről",
        "Szeretném kicseréltetni, vagy kérném vissza az árát.",
        ">Nagyon sajnáljuk! Holnap kicseréljük.",
        "Köszönöm a gyors választ, így már megnyugodtam.",
    ],
    &[
        "Szia! Új irodát rendezünk be, {count} munkaállomás kellene: asztal, szék, tároló.",
        "Tudtok ebben tervezéssel is segíteni?",
        "Az alaprajzot el tudom küldeni PDF-ben.",
        "A keretünk nagyjából hárommillió forint, bruttó.",
    ],
    &[
        "Érdeklődnék, részletre is megvehető {item}?",
        "Önerőm lenne rá, úgy a fele.",
        "És mennyi idő alatt bírálják el?",
    ],
    &[
        "Jó reggelt! Módosítani szeretném az {order} számú rendelést.",
        "Kettő helyett {count} darabot kérek.",
        "Remélem, még nem indult el a futár 🙏",
        ">Jó reggelt! Átírtuk, ma délután indul.",
        "Hálás köszönet!",
    ],
    &[
        "Üdv! Mekkora pontosan {item}? A honlapon nem találom a méreteket.",
        "Az ajtónk csak 72 cm széles, félek, hogy nem fér be.",
        "Szétszedve szállítják? És az összeszerelést is vállalják?",
    ],
    &[
        "Kedves Ügyfélszolgálat! Mikor várható újra készleten {item}?",
        "Kérem, írjanak, ha megérkezett. Itt is elérnek.",
    ],
    &[
        "Szia, {name} vagyok, tegnap beszéltünk telefonon.",
        "Küldöm a számlázási adatokat: Őrségi Műhely Kft., {city}.",
        "Az adószámot holnap írom meg, most nincs nálam.",
        "Ja, és {count} darab lesz, nem kevesebb 😄",
    ],
    &[
        "Láttam a hirdetésüket. Meddig tart az akció?",
        "Kuponkóddal is összevonható?",
        "Értem, akkor még {day} megrendelem.",
    ],
    &["Köszönöm szépen a segítséget, gyönyörű lett a nappalink! ❤️", "*a kész szobáról"],
];

pub(super) const ITEMS: &[&str] = &[
    "az állítható íróasztal",
    "a tölgyfa étkezőasztal",
    "a szürke sarokkanapé",
    "a hálós irodai szék",
    "a hatfiókos komód",
    "az üvegajtós vitrin",
    "a kihúzható tárgyalóasztal",
    "a gyapjúszőnyeg (160×230)",
    "az előszobafal",
    "a bárszék",
];

pub(super) const CITIES: &[&str] = &[
    "Győr",
    "Pécs",
    "Székesfehérvár",
    "Nyíregyháza",
    "Kőszeg",
    "Hódmezővásárhely",
    "Törökbálint",
    "Eger",
    "Szentendre",
];

pub(super) const DAYS: &[&str] = &["hétfőn", "kedden", "szerdán", "csütörtökön", "pénteken", "jövő héten"];

pub(super) const CAPTIONS: &[&str] = &["", "Így néz ki most.", "Erre gondoltam:", "Ez lenne az 📷"];

pub(super) const BUTTONS: &[(&str, &str)] = &[
    ("Ajánlatot kérek", "QUOTE"),
    ("Rendelésem állapota", "ORDER_STATUS"),
    ("Munkatárssal beszélnék", "AGENT"),
];

pub(super) const CORRECTION: &str = "(javítva)";

pub(super) const SURNAMES: &[&str] = &[
    "Kovács",
    "Szűcs",
    "Őri",
    "Tóth",
    "Szabó",
    "Horváth",
    "Varga",
    "Kiss",
    "Molnár",
    "Németh",
    "Farkas",
    "Balogh",
    "Papp",
    "Lakatos",
    "Takács",
    "Juhász",
    "Mészáros",
    "Simon",
    "Rácz",
    "Fekete",
    "Szőke",
    "Csűrös",
    "Bíró",
    "Győri",
];

pub(super) const GIVEN: &[&str] = &[
    "Éva",
    "Zsófia",
    "Réka",
    "Ágnes",
    "Katalin",
    "Boglárka",
    "Emőke",
    "Csilla",
    "Dóra",
    "Ildikó",
    "Anikó",
    "Nóra",
    "Gábor",
    "László",
    "Péter",
    "Bence",
    "Máté",
    "Ákos",
    "Zoltán",
    "Győző",
    "Örs",
    "Ádám",
    "Tamás",
    "Levente",
];
