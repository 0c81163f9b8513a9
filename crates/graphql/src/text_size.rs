//! How deep a document is nested and how long it is, told from its bytes before any parser sees it: parsers of
//! GraphQL call themselves for every level, and a stack that runs over ends the whole process; and what they make
//! of a token takes a hundred times its memory.

use crate::limits::{ALL_DIRECTIVES_MAX, TOKENS_MAX};

/// Brackets within brackets. The deepest document of a page has some twenty.
const BRACKETS_MAX: usize = 64;

/// Why no parser should see a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextError {
    /// A bracket of any kind stands deeper than a parser may safely go.
    Nesting,
    /// More words, numbers, strings and signs than any page needs.
    Length,
    Directives,
}

/// Looks at a document's signs. Strings and comments are passed over.
pub(crate) fn measure(document: &str) -> Result<(), TextError> {
    let bytes = document.as_bytes();
    let (mut at, mut depth, mut tokens, mut directives) = (0, 0_usize, 0_usize, 0_usize);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        tokens += 1;
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > BRACKETS_MAX {
                    return Err(TextError::Nesting);
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => {
                tokens -= 1;
                at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count();
            }
            b'"' if bytes[at..].starts_with(b"\"\"") => at = after_block(bytes, at + 2),
            b'"' => at = after_string(bytes, at),
            b'@' => {
                directives += 1;
                if directives > ALL_DIRECTIVES_MAX {
                    return Err(TextError::Directives);
                }
            }
            b' ' | b'\t' | b'\n' | b'\r' | b',' => tokens -= 1,
            byte if is_word(*byte) => at += bytes[at..].iter().take_while(|byte| is_word(**byte)).count(),
            _ => {}
        }
        if tokens > TOKENS_MAX {
            return Err(TextError::Length);
        }
    }
    Ok(())
}

/// Of names, numbers and `...`.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-')
}

/// Where a string ends that begins before `at`: behind its quote, or at the end of its line, which no string crosses.
fn after_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where a block string ends that begins before `at`.
fn after_block(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shallow(document: &str) -> bool {
        measure(document) != Err(TextError::Nesting)
    }

    #[test]
    fn brackets_of_every_kind_count_wherever_they_stand() {
        let deep = |open: &str, close: &str, levels: usize| {
            is_shallow(&format!("{{ f {}{} }}", open.repeat(levels), close.repeat(levels)))
        };
        for (open, close) in [("[", "]"), ("{a ", "}"), ("(a:", ")"), ("{a:[", "]}")] {
            let each = open.bytes().filter(|byte| b"[{(".contains(byte)).count();
            assert!(deep(open, close, (BRACKETS_MAX - 1) / each), "{open}");
            assert!(!deep(open, close, BRACKETS_MAX / each + 1), "{open}");
            assert!(!deep(open, close, 100_000), "{open}");
        }
    }

    #[test]
    fn strings_and_comments_hold_what_they_like() {
        let many = "[".repeat(1_000);
        for passed in [
            format!("{{ f(a: \"{many}\") }}"),
            format!("{{ f(a: \"\\\"{many}\") }}"),
            format!("{{ f(a: \"\"\"{many} \\\"\"\" {many}\"\"\") }}"),
            format!("{{ f # {many}\n}}"),
        ] {
            assert!(is_shallow(&passed), "{}", &passed[..20]);
        }
        for counted in [
            format!("{{ f(a: \"\") {many} }}"),
            format!("{{ f(a: \"open\n{many}"),
            format!("{{ f(a: \"\"\"x\"\"\" {many}"),
            format!("# comment\n{many}"),
        ] {
            assert!(!is_shallow(&counted), "{}", &counted[..15]);
        }
        for odd in ["\"", "\"\\", "\"\"\"", "#", "", "é\"é"] {
            assert!(is_shallow(odd));
        }
    }

    #[test]
    fn tokens_and_directives_are_counted_and_not_what_is_between_them() {
        let fields = |number: usize| format!("{{ {} }}", "a1, # comment\n ".repeat(number));
        assert_eq!(measure(&fields(TOKENS_MAX - 2)), Ok(()));
        assert_eq!(measure(&fields(TOKENS_MAX - 1)), Err(TextError::Length));
        for many in ["...A ", "\"a b\"", "\"\"\"a b\"\"\"", "-1.5e+3 ", "$", "!", "|", "{}"] {
            assert_eq!(measure(&many.repeat(TOKENS_MAX + 1)), Err(TextError::Length), "{many}");
        }
        assert_eq!(measure(&format!("{{ a(b: \"{}\") }}", "@ a ".repeat(TOKENS_MAX))), Ok(()));
        let directed = |number: usize| format!("{{ a {} }}", "@b ".repeat(number));
        assert_eq!(measure(&directed(ALL_DIRECTIVES_MAX)), Ok(()));
        assert_eq!(measure(&directed(ALL_DIRECTIVES_MAX + 1)), Err(TextError::Directives));
    }
}
