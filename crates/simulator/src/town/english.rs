//! What English-speaking customers of a furniture shop write. A line that opens with `>` is the shop's answer from its
//! own app. Words in braces are filled in by `words`.

pub(super) const TALKS: &[&[&str]] = &[
    &[
        "Hi there! Do you still have {item} in stock?",
        "We'd need {count} of them, ideally {day}.",
        ">Hello! Yes we do, we can ship {day}.",
        "Brilliant. What would the total be, delivery included?",
        "Great, I'll take them. Please send the invoice over.",
    ],
    &[
        "Hello, could I get a quote for {item}? Quantity: {count}.",
        "We're a limited company and would pay by bank transfer. Any volume discount?",
        ">Hello! From ten pieces on you get 8% off.",
        "Thanks, let me run that past my boss and I'll get back to you.",
    ],
    &[
        "Hey, do you deliver to {city}?",
        "And roughly how much would shipping be?",
        ">Hey! We do, it's £19 to your door.",
        "Perfect, placing the order now 👍",
    ],
    &[
        "Good morning, I ordered last week but haven't had a confirmation yet. Could you check?",
        "It's under {name}, order number {order}.",
        "Never mind, the e-mail was in my spam folder. Sorry to bother you!",
    ],
    &[
        "Which colours does {item} come in?",
        "It looks like walnut in the photo, but everything here is oak.",
        "*here's the room",
        ">We make it in oak as well, it takes two weeks.",
        "Two weeks is fine. How do I pay the deposit?",
    ],
    &[
        "Hi, is there a showroom where I can see {item} in person?",
        "I could come by {day}, late afternoon. Are you open then?",
        ">Hi! The showroom is open nine to six on weekdays.",
        "Lovely, see you around half four 😊",
    ],
    &[
        "Hello, {item} arrived damaged. One of the legs is cracked.",
        "*the crack",
        "I'd like a replacement, or else my money back please.",
        ">We're so sorry! We'll swap it tomorrow.",
        "Thank you for the quick reply, much appreciated.",
    ],
    &[
        "Hi! We're fitting out a new office and need {count} workstations: desks, chairs, storage.",
        "Could you help with the layout too?",
        "I can send you the floor plan as a PDF.",
        "Our budget is around £9,000 including VAT.",
    ],
    &[
        "Is it possible to pay for {item} in instalments?",
        "I could put down about half of it straight away.",
        "And how long does the credit check take?",
    ],
    &[
        "Morning! I need to change order {order}.",
        "Could we make that {count} instead of two?",
        "Hope the van hasn't left yet 🙏",
        ">Morning! Changed, it ships this afternoon.",
        "You're a star, thank you!",
    ],
    &[
        "What are the exact dimensions of {item}? Can't find them on the website.",
        "Our door is only 72 cm wide, so I'm worried it won't fit.",
        "Does it come flat-packed? And do you offer assembly?",
    ],
    &[
        "Hi, any idea when {item} will be back in stock?",
        "Please drop me a line here when it is, no need to call.",
    ],
    &[
        "Hi, {name} here, we spoke on the phone yesterday.",
        "Billing details: Café Zoë Ltd, {city}.",
        "I'll send the VAT number tomorrow, I don't have it on me.",
        "Oh, and it's {count} pieces, not one fewer 😄",
    ],
    &[
        "Saw your ad. How long is the sale on for?",
        "Does it stack with a voucher code?",
        "Got it, I'll order {day} then.",
    ],
    &["Thanks so much for your help, the living room looks gorgeous! ❤️", "*the finished room"],
];

pub(super) const ITEMS: &[&str] = &[
    "the standing desk",
    "the oak dining table",
    "the grey corner sofa",
    "the mesh office chair",
    "the six-drawer chest",
    "the glass display cabinet",
    "the extending meeting table",
    "the wool rug (160×230)",
    "the hallway unit",
    "the crème armchair",
];

pub(super) const CITIES: &[&str] =
    &["Leeds", "Bristol", "Galway", "Inverness", "Brighton", "Caernarfon", "Dún Laoghaire", "York", "Málaga"];

pub(super) const DAYS: &[&str] =
    &["on Monday", "on Tuesday", "this Wednesday", "on Thursday", "by Friday", "next week"];

pub(super) const CAPTIONS: &[&str] =
    &["", "This is what it looks like now.", "Something like this:", "That's the one 📷"];

pub(super) const BUTTONS: &[(&str, &str)] =
    &[("Get a quote", "QUOTE"), ("Where is my order?", "ORDER_STATUS"), ("Talk to a person", "AGENT")];

pub(super) const CORRECTION: &str = "(corrected)";

pub(super) const SURNAMES: &[&str] = &[
    "O'Brien",
    "Smith",
    "Nuñez",
    "Taylor",
    "Brontë",
    "Walker",
    "Müller",
    "Hughes",
    "Evans",
    "Murphy",
    "Ó Súilleabháin",
    "Patel",
    "Clarke",
    "Fraser",
    "Price",
    "Lefèvre",
    "Campbell",
    "Okafor",
    "Reid",
    "Sørensen",
    "Hall",
    "Kaur",
    "Bell",
];

pub(super) const GIVEN: &[&str] = &[
    "Zoë", "Chloé", "Siân", "Olivia", "Renée", "Amelia", "Aoife", "Priya", "Hannah", "Maeve", "Isla",
    "Grace", "Oliver", "Seán", "André", "Jack", "Noah", "José", "Harry", "Liam", "Björn", "Samir", "Rhys",
    "George",
];
