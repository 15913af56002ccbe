//! A document in markdown that renders on a code host.

use std::fmt::Write;

use super::document::{
    Block, Document, Facts, Item, Leaf, Mood, Row, RowKind, Section, Table, Tree,
};

/// The document as markdown, in the dialect with tables.
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n{}\n", escaped(&document.title), escaped(&document.about));
    for section in &document.sections {
        self::section(&mut out, section);
    }
    if !document.footnotes.is_empty() {
        let _ = write!(out, "\n## {}\n\n", escaped(&document.footnotes_title));
        for (index, note) in document.footnotes.iter().enumerate() {
            let _ = writeln!(out, "{}. {}", index + 1, escaped(note));
        }
    }
    for line in &document.closing {
        let _ = write!(out, "\n*{}*\n", escaped(line));
    }
    out
}

/// Signs that would be markup.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '*' | '_' | '`' | '|' | '[' | ']' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn section(out: &mut String, section: &Section) {
    let _ = write!(out, "\n## {}\n", escaped(&section.title));
    for block in &section.blocks {
        match block {
            Block::Heading(title) => {
                let _ = write!(out, "\n### {}\n", escaped(title));
            }
            Block::Paragraph(text) => {
                let _ = write!(out, "\n{}\n", escaped(text));
            }
            Block::Verdict { mood, text } => {
                let _ = write!(out, "\n> {} **{}**\n", mark(*mood), escaped(text));
            }
            Block::Table(table) => self::table(out, table),
            Block::Tree(tree) => self::tree(out, tree),
            Block::Facts(facts) => self::facts(out, facts),
            Block::List(items) => list(out, items),
            Block::Code { language, text } => {
                let _ = write!(out, "\n```{language}\n{text}\n```\n");
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
        let _ = write!(out, "**{}**\n\n", escaped(&table.title));
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
            .map(|c| if bold && !c.is_empty() { format!("**{}**", escaped(c)) } else { escaped(c) })
            .collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

fn leaf(out: &mut String, indent: &str, leaf: &Leaf) {
    let colon = if leaf.name.is_empty() || leaf.value.is_empty() { "" } else { ": " };
    let note =
        if leaf.note.is_empty() { String::new() } else { format!(" ({})", escaped(&leaf.note)) };
    let text = format!("{}{colon}{}", escaped(&leaf.name), escaped(&leaf.value));
    let text = if leaf.total { format!("**{text}**") } else { text };
    let _ = writeln!(out, "{indent}- {text}{note}");
}

fn tree(out: &mut String, tree: &Tree) {
    let _ = write!(out, "\n{}\n\n", escaped(&tree.title));
    for item in &tree.leaves {
        leaf(out, "", item);
    }
}

fn facts(out: &mut String, facts: &Facts) {
    out.push('\n');
    if !facts.title.is_empty() {
        let _ = write!(out, "**{}**\n\n", escaped(&facts.title));
    }
    for (name, leaves) in &facts.groups {
        let indent = if name.is_empty() { "" } else { "  " };
        if !name.is_empty() {
            let _ = writeln!(out, "- {}", escaped(name));
        }
        for item in leaves {
            leaf(out, indent, item);
        }
    }
}

fn list(out: &mut String, items: &[Item]) {
    out.push('\n');
    for item in items {
        let mark = match item.mood {
            Mood::Neutral => String::new(),
            mood => format!("{} ", mark(mood)),
        };
        let _ = writeln!(out, "- {mark}{}", escaped(&item.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(escaped("a|b *c* <d> [1] `e`"), "a\\|b \\*c\\* &lt;d&gt; \\[1\\] \\`e\\`");
    }
}
