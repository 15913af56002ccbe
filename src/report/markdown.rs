//! A document in markdown that renders on a code host.

use std::fmt::Write;

use super::document::{
    Block, Document, Facts, Item, Leaf, Mood, Row, RowKind, Section, Table, Tree,
};
use crate::text::line;

/// The document as markdown, in the dialect with tables.
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n{}\n", escaped(&document.title), paragraph(&document.about));
    for section in &document.sections {
        self::section(&mut out, section);
    }
    if !document.footnotes.is_empty() {
        let _ = write!(out, "\n## {}\n\n", escaped(&document.footnotes_title));
        for (index, note) in document.footnotes.iter().enumerate() {
            let _ = writeln!(out, "{}. {}", index + 1, paragraph(note));
        }
    }
    for line in &document.closing {
        let _ = write!(out, "\n{}\n", within("*", &escaped(line)));
    }
    out
}

/// A text of others inside a line: signs that would be markup, and what a code host turns into links and
/// messages to people although it is escaped, because it looks for them in the page that markup made.
/// Inside of code it does not, and a sign or two are enough.
pub(super) fn escaped(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut skipped = 0;
    for (index, c) in text.char_indices() {
        let last = std::mem::replace(&mut before, c);
        if skipped > 0 {
            skipped -= 1;
            continue;
        }
        if let Some(sign) = reference(last, &text[index..]) {
            let _ = write!(out, "`{sign}`");
            skipped = sign.len() - 1;
            continue;
        }
        match c {
            '\\' | '*' | '_' | '`' | '|' | '[' | ']' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

/// What makes a link of what is around it, at the start of `rest`: of an address, a person (`@name`, and
/// an address for letters), an issue (`#1`, `GH-1`) or a merge request (`!1`).
fn reference(before: char, rest: &str) -> Option<&'static str> {
    let follows = |sign: &str, is_of: fn(char) -> bool| {
        rest.strip_prefix(sign).is_some_and(|after| after.starts_with(is_of))
    };
    let digit = |c: char| c.is_ascii_digit();
    if rest.starts_with("://") {
        Some("://")
    } else if follows("@", |c| c.is_alphanumeric() || "_-\"".contains(c)) {
        Some("@")
    } else if follows("#", digit) {
        Some("#")
    } else if follows("!", digit) {
        Some("!")
    } else if before.eq_ignore_ascii_case(&'h') && follows("-", digit) {
        Some("-")
    } else if before.eq_ignore_ascii_case(&'w') && follows(".", char::is_alphanumeric) {
        Some(".")
    } else {
        None
    }
}

/// Emphasised; marks beside a blank would be none.
fn within(marks: &str, escaped: &str) -> String {
    match escaped.trim() {
        "" => String::new(),
        text => format!("{marks}{text}{marks}"),
    }
}

/// A text of others at the start of a line, where more signs are markup, and a slash begins a command.
pub(super) fn paragraph(text: &str) -> String {
    let text = escaped(text.trim_start());
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut signs = text[digits..].chars();
    let (sign, next) = (signs.next(), signs.next());
    let is_marker = next.is_none_or(|c| c == ' ' || Some(c) == sign);
    match sign {
        Some('/') if digits == 0 => format!("\\{text}"),
        Some('+' | '-') if digits == 0 && is_marker => format!("\\{text}"),
        Some('.' | ')') if digits > 0 && is_marker => {
            format!("{}\\{}", &text[..digits], &text[digits..])
        }
        _ => text,
    }
}

fn section(out: &mut String, section: &Section) {
    let _ = write!(out, "\n## {}\n", escaped(&section.title));
    for block in &section.blocks {
        match block {
            Block::Heading(title) => {
                let _ = write!(out, "\n### {}\n", escaped(title));
            }
            Block::Paragraph(text) => {
                let _ = write!(out, "\n{}\n", paragraph(text));
            }
            Block::Verdict { mood, text } => {
                let _ = write!(out, "\n> {} {}\n", mark(*mood), within("**", &escaped(text)));
            }
            Block::Table(table) => self::table(out, table),
            Block::Tree(tree) => self::tree(out, tree),
            Block::Facts(facts) => self::facts(out, facts),
            Block::List(items) => list(out, items),
            Block::Code { language, text } => {
                // Longer than any in the code.
                let mut fence = "```".to_owned();
                while text.contains(&fence) {
                    fence.push('`');
                }
                let _ = write!(out, "\n{fence}{language}\n{text}\n{fence}\n");
            }
            // Every number of a picture stands in a table.
            Block::Chart(_) => {}
        }
    }
}

const fn mark(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "✅",
        Mood::Fair => "⚠️",
        Mood::Bad => "❌",
        Mood::Neutral => "ℹ️",
    }
}

fn table(out: &mut String, table: &Table) {
    out.push('\n');
    if !table.title.is_empty() {
        let _ = write!(out, "{}\n\n", within("**", &escaped(&table.title)));
    }
    let titles: Vec<String> = table.columns.iter().map(|c| escaped(&c.title)).collect();
    let rules: Vec<&str> =
        table.columns.iter().map(|c| if c.numeric { "--:" } else { "---" }).collect();
    let _ = writeln!(out, "| {} |", titles.join(" | "));
    let _ = writeln!(out, "| {} |", rules.join(" | "));
    for Row { cells, kind } in &table.rows {
        let bold = *kind != RowKind::Plain;
        let cells: Vec<String> = cells
            .iter()
            .map(|c| if bold { within("**", &escaped(c)) } else { escaped(c) })
            .collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

fn leaf(out: &mut String, indent: &str, leaf: &Leaf) {
    let colon = if leaf.name.is_empty() || leaf.value.is_empty() { "" } else { ": " };
    let note =
        if leaf.note.is_empty() { String::new() } else { format!(" ({})", escaped(&leaf.note)) };
    let text = format!("{}{colon}{}", leaf.name, leaf.value);
    let text = if leaf.total { within("**", &escaped(&text)) } else { paragraph(&text) };
    let _ = writeln!(out, "{indent}- {text}{note}");
}

fn tree(out: &mut String, tree: &Tree) {
    let _ = write!(out, "\n{}\n\n", paragraph(&tree.title));
    for item in &tree.leaves {
        leaf(out, "", item);
    }
}

fn facts(out: &mut String, facts: &Facts) {
    out.push('\n');
    if !facts.title.is_empty() {
        let _ = write!(out, "{}\n\n", within("**", &escaped(&facts.title)));
    }
    for (name, leaves) in &facts.groups {
        let indent = if name.is_empty() { "" } else { "  " };
        if !name.is_empty() {
            let _ = writeln!(out, "- {}", paragraph(name));
        }
        for item in leaves {
            leaf(out, indent, item);
        }
    }
}

fn list(out: &mut String, items: &[Item]) {
    out.push('\n');
    for item in items {
        let _ = match item.mood {
            Mood::Neutral => writeln!(out, "- {}", paragraph(&item.text)),
            mood => writeln!(out, "- {} {}", mark(mood), escaped(&item.text)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(escaped("a|b *c* <d> [1] `e`"), "a\\|b \\*c\\* &lt;d&gt; \\[1\\] \\`e\\`");
        assert_eq!(escaped("a\nb\u{202e}"), r"a\\u{a}b\\u{202e}");
        assert_eq!(paragraph("/close"), r"\/close");
        assert_eq!(paragraph("1. a"), r"1\. a");
        assert_eq!(paragraph("-- a"), r"\-- a");
        assert_eq!(paragraph("12 MiB"), "12 MiB");
    }

    /// What a code host would take for a person, an address or an issue is none.
    #[test]
    fn no_text_calls_anybody() {
        for (text, shown) in [
            ("@octocat and @org/team", "`@`octocat and `@`org/team"),
            ("me@example.com", "me`@`example.com"),
            ("https://a.b www.c.d", "https`://`a.b www`.`c.d"),
            ("#12 org/repo#3 !4 GH-5", "`#`12 org/repo`#`3 `!`4 GH`-`5"),
            ("# a, 4 @ 5, a!", r"\# a, 4 @ 5, a!"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }
}
