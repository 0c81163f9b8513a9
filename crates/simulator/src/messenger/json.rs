//! JSON as Meta writes it: members in the order they were added, everything beyond ASCII escaped as `\u00e9`, slashes
//! as `\/`. A general serialiser writes neither, which is why bodies are not made with one.

use std::fmt::Write;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Flag(bool),
    Number(u64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object with these members, in this order.
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// `{"id": …}`, Meta's most frequent object.
    pub fn id(id: &str) -> Self {
        Self::object([("id", id.into())])
    }

    /// The member of that name; `None` also for what is no object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The same object with that member added, or replaced where it stands.
    ///
    /// # Panics
    ///
    /// If this is no object.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        let Self::Object(members) = &mut self else { panic!("only an object has members") };
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value.into(),
            None => members.push((name.to_owned(), value.into())),
        }
        self
    }

    /// The same object without that member.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        if let Self::Object(members) = &mut self {
            members.retain(|(known, _)| known != name);
        }
        self
    }

    /// The text in Meta's escaped form: ASCII only.
    pub fn escaped(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => write!(out, "{number}").expect("a string takes everything"),
            Self::Text(text) => write_text(out, text),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_text(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(letter),
            _ => {
                // Beyond the first plane JSON has surrogate pairs (RFC 8259, 7), so units of UTF-16 are written.
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("a string takes everything");
                }
            }
        }
    }
    out.push('"');
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Json {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_meta_does() {
        for (text, escaped) in [
            ("Jó napot / €", r#""J\u00f3 napot \/ \u20ac""#),
            ("árvíztűrő", r#""\u00e1rv\u00edzt\u0171r\u0151""#),
            ("👍", r#""\ud83d\udc4d""#),
            ("\"a\\b\"\n\u{1}", r#""\"a\\b\"\n\u0001""#),
        ] {
            assert_eq!(Json::from(text).escaped(), escaped);
            let read: String = serde_json::from_str(escaped).unwrap();
            assert_eq!(read, text, "the escaped form means the same");
        }
    }
}
