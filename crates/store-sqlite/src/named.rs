//! Many keys as one parameter: a JSON array for `json_each`, bytes in hex. So one statement, prepared once,
//! takes any number of them.

use std::fmt::Write as _;

use parlance_projections::Value;
use parlance_store::{NAMED_MAX, RefusedBecause, StoreError};

/// A list of single values.
pub(crate) fn names<T>(items: &[T], value: impl Fn(&T) -> Value) -> Result<String, StoreError> {
    list(items, |out, item| write_value(out, &value(item)))
}

/// A list of lists of values.
pub(crate) fn tuples<T>(items: &[T], values: impl Fn(&T) -> Vec<Value>) -> Result<String, StoreError> {
    list(items, |out, item| {
        out.push('[');
        for (place, value) in values(item).iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            write_value(out, value);
        }
        out.push(']');
    })
}

fn list<T>(items: &[T], write: impl Fn(&mut String, &T)) -> Result<String, StoreError> {
    if items.len() > NAMED_MAX {
        return Err(StoreError::Refused(RefusedBecause::TooMany { limit: NAMED_MAX }));
    }
    let mut out = String::with_capacity(2 + items.len() * 40);
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(&mut out, item);
    }
    out.push(']');
    Ok(out)
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Int(number) => write!(out, "{number}").expect("a string takes everything"),
        Value::Bytes(bytes) => {
            out.push('"');
            for byte in bytes {
                write!(out, "{byte:02x}").expect("a string takes everything");
            }
            out.push('"');
        }
        Value::Text(text) => {
            out.push('"');
            for character in text.chars() {
                match character {
                    '"' | '\\' => {
                        out.push('\\');
                        out.push(character);
                    }
                    control if u32::from(control) < 0x20 => {
                        write!(out, "\\u{:04x}", u32::from(control)).expect("a string takes everything");
                    }
                    other => out.push(other),
                }
            }
            out.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_json_reads_them() {
        let row = |n: &i64| vec![Value::Int(*n), Value::Null, vec![0x0A, 0xFF].into(), "á\"\\\n".into()];
        assert_eq!(tuples(&[-7], row).unwrap(), r#"[[-7,null,"0aff","á\"\\\u000a"]]"#);
        assert_eq!(names(&["a", "b"], |text| Value::from(*text)).unwrap(), r#"["a","b"]"#);
        assert_eq!(names::<i64>(&[], |n| Value::Int(*n)).unwrap(), "[]");
    }

    #[test]
    fn too_many_are_refused() {
        let refused = names(&vec![0; NAMED_MAX + 1], |n| Value::Int(*n));
        assert_eq!(refused, Err(StoreError::Refused(RefusedBecause::TooMany { limit: NAMED_MAX })));
    }
}
