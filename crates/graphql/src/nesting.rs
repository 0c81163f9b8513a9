//! How deep a document is nested, told from its bytes before any parser sees it: parsers of GraphQL call
//! themselves for every level, and a stack that runs over ends the whole process.

/// Brackets within brackets. The deepest document of a page has some twenty.
const BRACKETS_MAX: usize = 64;

/// Whether no bracket of any kind stands deeper than a parser may safely go. Strings and comments are passed over.
pub(crate) fn is_shallow(document: &str) -> bool {
    let bytes = document.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > BRACKETS_MAX {
                    return false;
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(),
            b'"' if bytes[at..].starts_with(b"\"\"") => at = after_block(bytes, at + 2),
            b'"' => at = after_string(bytes, at),
            _ => {}
        }
    }
    true
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
}
