//! Looking for a text in files, however it is spelt: as UTF-8, UTF-16, hex or base64.

use std::{fs, path::Path};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The base64 digits that stand for `text` alone, whatever `offset` bytes stand before it in its group of three.
fn base64(text: &[u8], offset: usize) -> Vec<u8> {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(text);
    let whole = padded.len() / 3 * 3;
    let digit = |value: u32| BASE64[usize::try_from(value & 63).expect("six bits")];
    let digits: Vec<u8> = padded[..whole]
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|[a, b, c]| {
            let group = u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c);
            [group >> 18, group >> 12, group >> 6, group].map(digit)
        })
        .collect();
    // The first digits also hold bits of what stands before.
    digits[[0, 2, 3][offset]..].to_vec()
}

/// Every spelling of `text`, with its name.
pub fn spellings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |format: fn(&u8) -> String| text.as_bytes().iter().map(format).collect::<String>().into_bytes();
    vec![
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-16LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("hex", hex(|byte| format!("{byte:02x}"))),
        ("HEX", hex(|byte| format!("{byte:02X}"))),
        ("base64 at 0", base64(text.as_bytes(), 0)),
        ("base64 at 1", base64(text.as_bytes(), 1)),
        ("base64 at 2", base64(text.as_bytes(), 2)),
    ]
}

/// The names of the files in `folder` that hold these bytes. Every entry has to be a file.
pub fn files_with(folder: &Path, bytes: &[u8]) -> Vec<String> {
    search(folder, bytes, |path| Some(fs::read(path).expect("the file is read")))
}

/// The same where others work: folders are passed over, and so is what goes meanwhile.
pub fn files_among(folder: &Path, bytes: &[u8]) -> Vec<String> {
    search(folder, bytes, |path| if path.is_dir() { None } else { fs::read(path).ok() })
}

fn search(folder: &Path, bytes: &[u8], read: impl Fn(&Path) -> Option<Vec<u8>>) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let Some(held) = read(&path) else { continue };
        // Memory search by first byte: a window at every place is too slow in a debug build.
        let mut rest = held.as_slice();
        while let Some(place) = rest.iter().position(|byte| *byte == bytes[0]) {
            rest = &rest[place..];
            if rest.starts_with(bytes) {
                found.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
                break;
            }
            rest = &rest[1..];
        }
    }
    found
}
