// Signs random webhook requests with Twilio's own client, for crates/providers/tests/twilio.rs.
//
// node sign.mjs <seed> <count> prints one JSON object a line: { url, body, signature, params }. The body is encoded in
// odd but legal ways; `params` is what it decodes to, and what the official client signed. The same seed prints the
// same lines.

import twilio from "twilio";

const AUTH_TOKEN = "12345";

const [seed, count] = process.argv.slice(2).map(Number);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count)) {
  throw new Error("usage: node sign.mjs <seed> <count>");
}

// A linear congruential generator modulo 2^32 (the multiplier is Knuth's): any will do, as long as it can be seeded.
let state = seed >>> 0;
function below(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  // The high bits are the random ones.
  return Math.floor((state / 2 ** 32) * limit);
}

const pick = (list) => list[below(list.length)];
const chance = (percent) => below(100) < percent;

const DOCUMENTED = [
  "MessageSid", "SmsSid", "AccountSid", "MessagingServiceSid", "From", "To", "Body", "NumMedia", "NumSegments",
  "MediaUrl0", "MediaContentType0", "ProfileName", "WaId", "MessageType", "SmsStatus", "ButtonText", "ButtonPayload",
  "Latitude", "Longitude", "Address", "Label", "ChannelMetadata", "ApiVersion", "OriginalRepliedMessageSid",
];

const CHARACTERS = [
  ..."abcXYZ0189", ..." +&=%#?/:;,.-_~!*'()\"\\<>{}[]|^`@$", "\n", "\r", "\t", "\0", "\u007f", "é", "ő", "ß", "İ", "Ω", "ж",
  "א", "ع", "न", "ก", "中", "한", "\u0301", "\u200d", "\ufeff", "\ufffd", "\uff21", "\ufb01", "\ue000", "😀", "👩‍👩‍👧", "🇭🇺", "𝒳", "\u{10ffff}",
];

const text = (longest) => Array.from({ length: below(longest + 1) }, () => pick(CHARACTERS)).join("");

function name(taken) {
  for (;;) {
    const name = chance(70) ? pick(DOCUMENTED) : text(8);
    // JavaScript's objects give this one a meaning of its own, so the official client cannot sign it.
    if (!taken.has(name) && name !== "__proto__") return name;
  }
}

function values() {
  if (chance(15)) return [""];
  const distinct = Array.from({ length: chance(15) ? 2 + below(4) : 1 }, () => text(40));
  return chance(20) ? [...distinct, distinct[0]] : distinct;
}

const hex = (byte) => {
  const digits = byte.toString(16).padStart(2, "0");
  return chance(50) ? digits : digits.toUpperCase();
};

// Every byte may be escaped; those that have a meaning in a form must be, and so must all that are not ASCII, half of
// the time.
function encode(text) {
  return Array.from(text, (character) => {
    if (character === " ") return pick(["+", "%20"]);
    const isPlain = character > " " && character < "\u007f" && !"+&=%".includes(character);
    const isBare = isPlain ? chance(80) : character >= "\u0080" && chance(10);
    if (isBare) return character;
    return Array.from(Buffer.from(character, "utf-8"), (byte) => `%${hex(byte)}`).join("");
  }).join("");
}

function shuffled(list) {
  for (let last = list.length - 1; last > 0; last--) {
    const other = below(last + 1);
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}

function address() {
  const scheme = pick(["https", "https", "https", "http"]);
  const port = pick(["", "", "", ":443", ":80", ":8443"]);
  const path = pick(["/webhooks/0123456789abcdef", "/", "/a%20b/c", "/webhooks/twilio/whatsapp"]);
  const query = pick(["", "", "?foo=1&bar=2", "?x=%C3%A9", "?a=b&a=c"]);
  return `${scheme}://inbox.example.com${port}${path}${query}`;
}

for (let number = 0; number < count; number++) {
  const params = {};
  const taken = new Set();
  for (let field = below(25); field > 0; field--) {
    const key = name(taken);
    taken.add(key);
    const all = values();
    params[key] = all.length === 1 ? all[0] : all;
  }
  const pairs = Object.entries(params).flatMap(([key, value]) => [value].flat().map((one) => [key, one]));
  const body = shuffled(pairs)
    .map(([key, value]) => (value === "" && key !== "" && chance(30) ? encode(key) : `${encode(key)}=${encode(value)}`))
    .join(chance(5) ? "&&" : "&");
  const url = address();
  const signature = twilio.getExpectedTwilioSignature(AUTH_TOKEN, url, params);
  if (!twilio.validateRequest(AUTH_TOKEN, signature, url, params)) {
    throw new Error(`the official client refuses its own signature of request ${number}`);
  }
  console.log(JSON.stringify({ url, body, signature, params }));
}
