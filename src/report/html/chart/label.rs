//! Room for words in a picture: nothing here can ask a font, so widths are guessed on the wide side.

use svg::node::Text as Content;
use svg::node::element::{Text, Title};

/// Height of the letters.
pub const FONT: f64 = 12.0;
/// From one line of text to the next.
pub const LEADING: f64 = 15.0;
/// How much wider bold letters are.
pub const BOLD: f64 = 1.1;

/// A length with one decimal, which is finer than any screen.
pub fn px(length: f64) -> f64 {
    (length * 10.0).round() / 10.0 + 0.0
}

/// How wide a text is at most, in all common fonts.
pub fn width(text: &str) -> f64 {
    text.chars().map(advance).sum::<f64>() * FONT
}

/// The width of a letter in its height: of the widest of the fonts that a page may get.
fn advance(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '!' | '|' | '\'' | ' ' | '\u{202f}' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 1.0,
        'a'..='z' | '0'..='9' | '-' | '–' | '·' => 0.64,
        _ => match textwrap::core::display_width(letter.encode_utf8(&mut [0; 4])) {
            0 => 0.0,
            1 => 0.8,
            _ => 1.1,
        },
    }
}

/// A count of things in a picture as a number to multiply lengths with.
pub fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// A text in lines that fit, and whether something had to be left out.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// At least one, unless the text is blank.
    pub lines: Vec<String>,
    /// Then the last line ends in an ellipsis.
    pub cut: bool,
}

/// Breaks a text into at most so many lines that fit into the room.
pub fn wrap(text: &str, room: f64, most: usize) -> Wrapped {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(last) = lines.last_mut()
            && width(last) + width(" ") + width(word) <= room
        {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.extend(pieces(word, room));
        }
    }
    let cut = lines.len() > most;
    lines.truncate(most);
    if cut && let Some(last) = lines.last_mut() {
        while !last.is_empty() && width(last) + width("…") > room {
            last.pop();
        }
        last.truncate(last.trim_end().len());
        last.push('…');
    }
    Wrapped { lines, cut }
}

/// A word that is longer than the room, in pieces that are not.
fn pieces(word: &str, room: f64) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut taken = 0.0;
    for letter in word.chars() {
        let more = advance(letter) * FONT;
        if taken > 0.0 && taken + more > room {
            pieces.push(String::new());
            taken = 0.0;
        }
        taken += more;
        if let Some(last) = pieces.last_mut() {
            last.push(letter);
        }
    }
    pieces
}

/// One line of text: where it stands, and what the style sheet calls it.
pub fn text(x: f64, y: f64, class: &str, content: &str) -> Text {
    Text::new(content).set("x", px(x)).set("y", px(y)).set("class", class)
}

/// A line that was cut, with the whole text for who points at it.
pub fn titled(line: Text, whole: &str) -> Text {
    line.add(title(whole))
}

/// What a browser shows over a thing.
pub fn title(content: &str) -> Title {
    Title::new(content)
}

/// Words as a node.
pub fn content(words: &str) -> Content {
    Content::new(words)
}
