//! The tables of a document for spreadsheets: one table alone, or all with a row of its title
//! before each.

use super::document::{Block, Document, Facts, Leaf, Section, Table, Tree};

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
            writer.write_record([title])?;
        }
        for row in rows {
            writer.write_record(row)?;
        }
        let bytes = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&String::from_utf8_lossy(&bytes));
    }
    Ok(out)
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
