//! How deep brackets are nested in YAML. The parser looks at every open bracket at every word, so that
//! a text of brackets takes it time that grows with the square of their number.

/// Brackets that may be open at a time: nothing that is read here is nested as deep.
const DEEPEST: usize = 100;

/// The line and column, from 1, of the first bracket that is nested too deeply. Brackets in quotes and in
/// comments do not count; those in other texts do, and are not nested like this.
pub(super) fn too_deep(text: &str) -> Option<(usize, usize)> {
    let (mut depth, mut line, mut begun) = (0_usize, 1, 0);
    let mut quote = None;
    let mut before = b'\n';
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        // A quote or a comment begins a word, and is part of one elsewhere.
        let begins = before.is_ascii_whitespace() || b"[{,:".contains(&before);
        match (quote, byte) {
            (Some(b'"'), b'\\') => drop(bytes.next()),
            // Two of them are one in the text.
            (Some(b'\''), b'\'') if bytes.next_if(|(_, next)| *next == b'\'').is_some() => {}
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') if begins => quote = Some(byte),
            (None, b'#') if begins => quote = Some(b'\n'),
            (None, b'[' | b'{') => depth += 1,
            (None, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Some((line, text[begun..at].chars().count() + 1));
        }
        if byte == b'\n' {
            (line, begun) = (line + 1, at + 1);
        }
        before = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_where_they_are_brackets() {
        let deep = "[".repeat(101);
        assert_eq!(too_deep(&deep), Some((1, 101)));
        assert_eq!(too_deep(&format!("a: \"\\\"\"\nb: é{deep}")), Some((2, 105)));
        assert_eq!(too_deep(&format!("a: it's {deep}")), Some((1, 109)));
        for text in [
            "[{}]".repeat(1000),
            format!("a: \"{deep}\\\"{deep}\""),
            format!("a: '{deep}''{deep}'"),
            format!("a: b # {deep}\nc: d"),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
    }
}
