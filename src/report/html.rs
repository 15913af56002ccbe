//! A report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere.
//!
//! The page is a template, so that markup is written as markup and every text is escaped by the
//! engine. Only two things are marked as markup: pictures, whose writer escapes, and notes.

mod chart;
mod view;
mod words;

#[cfg(test)]
mod tests;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, HtmlEscape, UndefinedBehavior, Value};

use super::document::Document;
use crate::text::line;

/// Writes a document as a page.
///
/// # Errors
///
/// Where the template asks for what the document does not hold: a mistake in this program, never
/// in the document.
pub fn html(document: &Document) -> Result<String, Error> {
    let notes = document.footnotes.len();
    let mut engine = Environment::new();
    engine.set_auto_escape_callback(|_| AutoEscape::Html);
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    engine
        .add_filter("notes", move |text: &str| Value::from_safe_string(linked(&line(text), notes)));
    // Of a picture, whose texts are plain already.
    engine.add_filter("linked", move |text: &str| Value::from_safe_string(linked(text, notes)));
    engine.render_named_str(
        "page.html",
        include_str!("html/page.html"),
        Serde(view::page(document)),
    )
}

/// A text, escaped, in which each `[n]` leads to the footnote of that number if there is one.
fn linked(text: &str, notes: usize) -> String {
    let mut markup = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let (before, mark) = rest.split_at(start);
        markup.push_str(&escaped(before));
        match mark.find(']').and_then(|end| Some((note(&mark[1..end], notes)?, end))) {
            Some((number, end)) => {
                let link = format!("<a class=\"mark\" href=\"#note-{number}\">[{number}]</a>");
                markup.push_str(&link);
                rest = &mark[end + 1..];
            }
            None => {
                markup.push('[');
                rest = &mark[1..];
            }
        }
    }
    markup.push_str(&escaped(rest));
    markup
}

/// The number of a footnote, if the digits are one.
fn note(digits: &str, notes: usize) -> Option<usize> {
    let number = digits.parse().ok().filter(|n| (1..=notes).contains(n))?;
    // A sign or a zero before it is no mark of ours.
    (number.to_string() == digits).then_some(number)
}

fn escaped(text: &str) -> String {
    HtmlEscape(text).to_string()
}
