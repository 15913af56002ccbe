//! Texts of others, made safe to show.
//!
//! Names, paths and messages come from models, profiles, services, file systems and other programs.
//! They end in terminals, CI logs, spreadsheets and comments, all of which read more than words: escape
//! sequences, marks that turn the direction of writing around, commands of a pipeline at the start of a
//! line. Whatever is shown goes through this module twice: [`line`] writes a text of others so that it
//! is one line and no two texts look the same, where a format is made; [`guarded`] looks over all that
//! leaves the program, where it leaves.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is shown as it is: not where it moves a cursor, turns the direction of writing
/// around, is not seen, or is none that Unicode has assigned for everyone.
pub fn is_plain(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // Blanks at which no line breaks: between the thousands of our own numbers, and before units.
    matches!(c, '\u{a0}' | '\u{202f}') || (is_seen(c) && is_printed(c))
}

/// Letters and marks that have no width (`Default_Ignorable_Code_Point`, Unicode 16), without the two
/// that choose between a sign and its picture.
const fn is_seen(c: char) -> bool {
    !matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// What the standard library escapes when it shows a text for debugging: control and format characters,
/// separators, those for private use, and what is not assigned.
fn is_printed(c: char) -> bool {
    // A mark that combines is escaped only where it has no letter before it.
    let mut bytes = [b'a', 0, 0, 0, 0];
    let end = 1 + c.encode_utf8(&mut bytes[1..]).len();
    std::str::from_utf8(&bytes[..end]).is_ok_and(|text| text.escape_debug().eq(text.chars()))
}

/// A text of others as one line: what is not plain as `\u{1b}`. Two texts that differ stay different,
/// so it is applied once to each.
pub fn line(text: &str) -> Cow<'_, str> {
    rewritten(text, |at| match at.c {
        '\\' if at.rest.starts_with("\\u{") => Some(visible('\\')),
        '#' if opens_command(at.rest) => Some(visible('#')),
        c if is_plain(c) => None,
        c => Some(visible(c)),
    })
}

/// Begins a line below a message that quotes something: the output of a program, what was tried.
pub const QUOTED: &str = "\n  | ";

/// A message: [`line`] of it, and of each line below it that quotes something. Those have a bar before
/// them, after blanks and a number at most, so that nobody takes them for lines of ours.
pub fn message(text: &str) -> String {
    let (first, mut rest) = headline_and_rest(text);
    let mut out = line(first).into_owned();
    while let Some(quoted) = rest {
        let (next, further) = headline_and_rest(quoted);
        out.push('\n');
        out.push_str(&line(next));
        rest = further;
    }
    out
}

/// A message without the lines below it, not yet safe.
pub fn headline(text: &str) -> &str {
    headline_and_rest(text).0
}

fn headline_and_rest(text: &str) -> (&str, Option<&str>) {
    let is_quoted = |at: &usize| {
        let line = text[at + 1..].trim_start_matches(' ');
        line.trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start_matches(' ')
            .starts_with('|')
    };
    match text.match_indices('\n').map(|(at, _)| at).find(is_quoted) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// What a whole text is, as it leaves the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people: text, Markdown, CSV, XML, YAML.
    Page,
    /// JSON, in which any character can be written by its number.
    Json,
    /// HTML.
    Html,
    /// Commands of GitHub Actions.
    Commands,
}

/// The commands of GitHub Actions that are ours.
const OWN_COMMANDS: [&str; 3] = ["::error ", "::warning ", "::notice "];

/// The last look at what leaves the program: nothing but plain characters, line breaks and our own
/// colours, and no line that a pipeline takes for a command. GitHub Actions reads `::name::` at the start
/// of a line of either stream and `##[name]` anywhere in it (`ActionCommand.cs` of its runner); others
/// read `##vso[` and `##teamcity[`.
pub fn guarded(text: &str, form: Form) -> Cow<'_, str> {
    let mut starts_line = true;
    let mut colour = 0;
    rewritten(text, |at| {
        let was_start = starts_line;
        if colour > 0 {
            colour -= 1;
            return None;
        }
        if form == Form::Page
            && let Some(length) = own_colour(at.rest)
        {
            colour = length - 1;
            return None;
        }
        starts_line = at.c == '\n' || (was_start && at.c.is_whitespace());
        let begins_command = was_start && at.rest.starts_with("::");
        let is_own = form == Form::Commands && OWN_COMMANDS.iter().any(|c| at.rest.starts_with(c));
        let is_harmless = at.c == '\n' || (is_plain(at.c) && !opens_command(at.rest));
        if is_harmless && (!begins_command || is_own) {
            return None;
        }
        Some(match form {
            Form::Json => escaped_json(at.c),
            Form::Html if is_plain(at.c) => format!("&#{};", u32::from(at.c)),
            _ => visible(at.c),
        })
    })
}

/// A place in a text.
struct At<'a> {
    c: char,
    /// From this character on.
    rest: &'a str,
}

fn rewritten<'a>(
    text: &'a str,
    mut instead: impl FnMut(&At<'a>) -> Option<String>,
) -> Cow<'a, str> {
    let mut out: Option<String> = None;
    for (index, c) in text.char_indices() {
        match (instead(&At { c, rest: &text[index..] }), &mut out) {
            (None, None) => {}
            (None, Some(out)) => out.push(c),
            (Some(other), Some(out)) => out.push_str(&other),
            (Some(other), None) => out = Some(format!("{}{other}", &text[..index])),
        }
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn visible(c: char) -> String {
    format!("\\u{{{:x}}}", u32::from(c))
}

fn escaped_json(c: char) -> String {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().fold(String::new(), |mut out, unit| {
        let _ = write!(out, "\\u{unit:04x}");
        out
    })
}

/// Whether a command such as `##[error]` or `##vso[task.complete]` begins here.
fn opens_command(rest: &str) -> bool {
    rest.strip_prefix("##").is_some_and(|name| {
        name.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('[')
    })
}

/// The length of a colour or weight as our own texts have it: one of the eight, bold, dimmed, or the end
/// of these.
fn own_colour(rest: &str) -> Option<usize> {
    let (number, _) = rest.strip_prefix("\u{1b}[")?.split_once('m')?;
    matches!(number, "0" | "1" | "2" | "30" | "31" | "32" | "33" | "34" | "35" | "36" | "37")
        .then_some("\u{1b}[m".len() + number.len())
}

/// A word as a shell reads it.
pub fn shell_word(word: &str) -> String {
    let is_bare = |c: char| c.is_alphanumeric() || "/._-=+:,@%".contains(c);
    if !word.is_empty() && word.chars().all(|c| is_bare(c) && is_plain(c)) {
        return word.to_owned();
    }
    if word.chars().all(is_plain) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    // Bash's, zsh's and ksh's way to write what cannot be typed.
    let quoted = word.chars().fold(String::new(), |mut out, c| {
        let _ = match c {
            '\'' | '\\' => write!(out, "\\{c}"),
            c if is_plain(c) => write!(out, "{c}"),
            c if c.is_ascii() => write!(out, "\\x{:02x}", u32::from(c)),
            c => write!(out, "\\U{:08x}", u32::from(c)),
        };
        out
    });
    format!("$'{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_shown_by_its_number() {
        assert_eq!(line("a\u{1b}[31mb\r\n\tc"), "a\\u{1b}[31mb\\u{d}\\u{a}\\u{9}c");
        assert_eq!(
            line("x\u{202e}y\u{200b}\u{feff}\u{2066}"),
            r"x\u{202e}y\u{200b}\u{feff}\u{2066}"
        );
        assert_eq!(
            line("\u{9b}\u{7f}\u{fdd0}\u{e000}\u{378}"),
            r"\u{9b}\u{7f}\u{fdd0}\u{e000}\u{378}"
        );
        // What looks like an escape is none.
        assert_eq!(line(r"\u{1b}"), r"\u{5c}u{1b}");
        assert_eq!(
            line("##[error]x ##vso[a] ## [b] #[c]"),
            r"\u{23}#[error]x \u{23}#vso[a] ## [b] #[c]"
        );
        for plain in [
            "scan.onnx",
            "Año 3 × 4 µs — “x”",
            "模型 модель",
            "e\u{301}",
            "⚠\u{fe0f} 1\u{a0}000",
            r"C:\x",
        ] {
            assert!(matches!(line(plain), Cow::Borrowed(_)), "{plain}");
        }
    }

    #[test]
    fn only_lines_with_a_bar_stand_below_a_message() {
        let text = "p.yaml:3:5: a\n::error::b\n  |\n3 | c\u{1b}\n  |  ^\nd\n";
        assert_eq!(
            message(text),
            "p.yaml:3:5: a\\u{a}::error::b\n  |\n3 | c\\u{1b}\n  |  ^\\u{a}d\\u{a}"
        );
        assert_eq!(headline(text), "p.yaml:3:5: a\n::error::b");
        assert_eq!((message("a"), headline("a\n b")), ("a".to_owned(), "a\n b"));
    }

    #[test]
    fn nothing_that_leaves_is_a_command() {
        let page =
            "\u{1b}[1m::error::x\u{1b}[0m\n  ::a::\na ::b::\n\u{1b}[7mx\u{1b}]0;y\u{7}\n##[c]\n";
        let shown = "\u{1b}[1m\\u{3a}:error::x\u{1b}[0m\n  \\u{3a}:a::\na ::b::\n\\u{1b}[7mx\\u{1b}]0;y\\u{7}\n\\u{23}#[c]\n";
        assert_eq!(guarded(page, Form::Page), shown);
        let own = "::error title=x::y\n::stop-commands::z\n\u{1b}[1m";
        assert_eq!(
            guarded(own, Form::Commands),
            "::error title=x::y\n\\u{3a}:stop-commands::z\n\\u{1b}[1m"
        );
        let json = serde_json::json!({"a\u{202e}": ["\u{1b}\u{9b}\u{10ffff}##[x]", "é"]});
        let text = serde_json::to_string_pretty(&json).unwrap();
        let safe = guarded(&text, Form::Json);
        assert!(safe.chars().all(|c| c == '\n' || is_plain(c)) && !safe.contains("##["), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), json);
        assert_eq!(guarded("<p>\n::x\u{202e}</p>", Form::Html), "<p>\n&#58;:x\\u{202e}</p>");
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_more() {
        for (word, quoted) in [
            ("models/a-1.onnx", "models/a-1.onnx"),
            ("my model.onnx", "'my model.onnx'"),
            ("it's.onnx", r"'it'\''s.onnx'"),
            ("a;rm -rf $HOME `x`", "'a;rm -rf $HOME `x`'"),
            ("a\nb\u{202e}'\\", r"$'a\x0ab\U0000202e\'\\'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
