//! The tables of a document for spreadsheets: one table alone, or all with a row of its title
//! before each.

use super::document::{Block, Document, Facts, Leaf, Section, Table, Tree};
use crate::text::line;

/// The tables as comma-separated values (RFC 4180). Of several, each begins with a row of its
/// section and title and ends with an empty one; of one, the header is the first row.
///
/// # Errors
/// Where rows cannot be written, which in memory is not known to happen.
pub fn csv(document: &Document) -> Result<String, csv::Error> {
    let tables: Vec<(String, Vec<Vec<String>>)> =
        document.sections.iter().flat_map(tables_of).collect();
    let mut out = String::new();
    let only_one = tables.len() == 1;
    for (index, (title, rows)) in tables.iter().enumerate() {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        if !only_one {
            writer.write_record([cell(title)])?;
        }
        for row in rows {
            writer.write_record(row.iter().map(|text| cell(text)))?;
        }
        let bytes = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&String::from_utf8_lossy(&bytes));
    }
    Ok(out)
}

/// A text that a spreadsheet takes for a text: what begins as a formula does, and is no number, gets a
/// quotation mark before it, as typed there (OWASP, "CSV Injection").
fn cell(text: &str) -> String {
    let text = line(text);
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    if text.trim_start().starts_with(begins) && !is_quantity(&text) {
        format!("'{text}")
    } else {
        text.into_owned()
    }
}

/// Whether a text is a number after its sign, or several with their units: `-3.5`, `+4.1 % ± 1.2 %`.
fn is_quantity(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_of_one = |c: char| c.is_alphanumeric() || " .,%±–\u{a0}".contains(c);
    text.parse::<f64>().is_ok()
        || (number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(is_of_one))
}

/// Every block that holds rows, titled with what stands above it.
fn tables_of(section: &Section) -> Vec<(String, Vec<Vec<String>>)> {
    let mut heading = "";
    let mut tables = Vec::new();
    for block in &section.blocks {
        let (title, rows) = match block {
            Block::Heading(text) => {
                heading = text;
                continue;
            }
            Block::Table(table) => (&table.title, table_rows(table)),
            Block::Tree(Tree { title, leaves }) => (title, leaves.iter().map(leaf).collect()),
            Block::Facts(Facts { title, groups }) => {
                let rows = groups.iter().flat_map(|(name, leaves)| {
                    leaves.iter().map(move |l| [vec![name.clone()], leaf(l)].concat())
                });
                (title, rows.collect())
            }
            _ => continue,
        };
        let above = [section.title.as_str(), heading, title.as_str()];
        let above: Vec<&str> = above.into_iter().filter(|part| !part.is_empty()).collect();
        tables.push((above.join(": "), rows));
    }
    tables
}

fn leaf(leaf: &Leaf) -> Vec<String> {
    vec![leaf.name.clone(), leaf.value.clone(), leaf.note.clone()]
}

fn table_rows(table: &Table) -> Vec<Vec<String>> {
    let header = table.columns.iter().map(|c| c.title.clone()).collect();
    let rows = table.rows.iter().map(|row| row.cells.clone());
    std::iter::once(header).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-A1", "'-A1"),
            (" =1", "' =1"),
            ("\t=1", r"\u{9}=1"),
            ("-3.5", "-3.5"),
            ("-1e-5", "-1e-5"),
            ("+4.1 % ± 1.2 %", "+4.1 % ± 1.2 %"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
