//! Tools of the tests: what a text of JSON holds, in the notation of the contract, and whether it
//! and its schema agree in everything that matters.

use std::fmt;

use jsonschema::Validator;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// JSON with its keys in the order of the text, which `Value` does not keep.
#[derive(Debug)]
enum Node {
    Map(Vec<(String, Self)>),
    List(Vec<Self>),
    Leaf,
}

/// The keys of `json`: `{name, object{name}, list[{name}], span S}`, without blanks around
/// commas. Of a list, the first item counts.
pub fn notation(json: &str) -> String {
    serde_json::from_str::<Node>(json).unwrap().to_string()
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(entries) if is_span(entries) => f.write_str(" S"),
            Self::Map(entries) => {
                let keys: Vec<String> =
                    entries.iter().map(|(key, node)| format!("{key}{node}")).collect();
                write!(f, "{{{}}}", keys.join(","))
            }
            Self::List(items) => match items.first() {
                Some(item) => write!(f, "[{item}]"),
                None => f.write_str("[]"),
            },
            Self::Leaf => Ok(()),
        }
    }
}

fn is_span(entries: &[(String, Node)]) -> bool {
    entries.iter().map(|(key, _)| key.as_str()).eq(["low", "typical", "high", "source"])
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
}

/// The validator of a schema's text, which must itself be valid.
pub fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "the schema is no schema");
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Asserts that `json` is valid.
pub fn assert_valid(validator: &Validator, json: &str) {
    let value: Value = serde_json::from_str(json).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}\n{json}");
}

/// Asserts that the valid `json` is not valid any more without any one of its keys, nor with one
/// more key in any of its objects: the schema knows them all, and no others.
pub fn assert_strict(validator: &Validator, json: &str) {
    let whole: Value = serde_json::from_str(json).unwrap();
    for pointer in objects(&whole, String::new()) {
        let keys: Vec<String> = object(&mut whole.clone(), &pointer).keys().cloned().collect();
        for key in keys {
            let mut less = whole.clone();
            object(&mut less, &pointer).remove(&key);
            assert!(!validator.is_valid(&less), "{pointer}/{key} is not required");
        }
        let mut more = whole.clone();
        object(&mut more, &pointer).insert("unheard_of".to_owned(), Value::Null);
        assert!(!validator.is_valid(&more), "{pointer} takes any key");
    }
}

fn object<'a>(value: &'a mut Value, pointer: &str) -> &'a mut serde_json::Map<String, Value> {
    value.pointer_mut(pointer).unwrap().as_object_mut().unwrap()
}

/// The pointers of all objects in `value`.
fn objects(value: &Value, here: String) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let below = map.iter().flat_map(|(key, value)| objects(value, format!("{here}/{key}")));
            let below: Vec<String> = below.collect();
            [vec![here], below].concat()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| objects(item, format!("{here}/{index}")))
            .collect(),
        _ => Vec::new(),
    }
}
