//! Reads what values print: `{n[0], n[1]}`, `Put { key: 1 }`, `Some([1, 2])`, so that other tools get structures and not text.
//!
//! What is not of the form that derived printing gives is one piece of text; nothing is refused.

/// A printed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Printed {
    Number(i128),
    Bool(bool),
    Text(String),
    List(Vec<Printed>),
    /// Also where there is nothing in it: an empty map prints alike.
    Set(Vec<Printed>),
    Map(Vec<(Printed, Printed)>),
    Tuple(Vec<Printed>),
    /// A name, and fields by name.
    Record(String, Vec<(String, Printed)>),
    /// A name, and what stands behind it in parentheses.
    Variant(String, Vec<Printed>),
}

/// Reads `text`.
pub fn read(text: &str) -> Printed {
    let mut reader = Reader { text, at: 0 };
    match reader.value() {
        Some(value) if reader.rest().trim().is_empty() => value,
        _ => Printed::Text(text.to_owned()),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    fn eat(&mut self, letter: char) -> bool {
        let found = self.peek() == Some(letter);
        if found {
            self.at += letter.len_utf8();
        }
        found
    }

    fn value(&mut self) -> Option<Printed> {
        match self.peek()? {
            '{' => self.braces(),
            '[' => {
                self.eat('[');
                self.list(']').map(Printed::List)
            }
            '(' => {
                self.eat('(');
                self.list(')').map(Printed::Tuple)
            }
            '"' | '\'' => self.quoted(),
            _ => self.word(),
        }
    }

    fn list(&mut self, end: char) -> Option<Vec<Printed>> {
        let mut parts = Vec::new();
        while !self.eat(end) {
            parts.push(self.value()?);
            if !self.eat(',') && self.peek() != Some(end) {
                return None;
            }
        }
        Some(parts)
    }

    /// A set or a map.
    fn braces(&mut self) -> Option<Printed> {
        self.eat('{');
        let (mut keys, mut pairs) = (Vec::new(), Vec::new());
        while !self.eat('}') {
            let key = self.value()?;
            match self.eat(':') {
                true => pairs.push((key, self.value()?)),
                false => keys.push(key),
            }
            if !self.eat(',') && self.peek() != Some('}') {
                return None;
            }
        }
        match (keys.is_empty(), pairs.is_empty()) {
            (false, false) => None,
            (_, true) => Some(Printed::Set(keys)),
            (true, false) => Some(Printed::Map(pairs)),
        }
    }

    fn quoted(&mut self) -> Option<Printed> {
        let quote = self.peek()?;
        self.eat(quote);
        let (mut text, mut escaped) = (String::new(), false);
        for (at, letter) in self.rest().char_indices() {
            match letter {
                _ if escaped => {
                    text.push(match letter {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if letter == quote => {
                    self.at += at + letter.len_utf8();
                    return Some(Printed::Text(text));
                }
                _ => text.push(letter),
            }
        }
        None
    }

    /// A number, a name, a node such as `n[2]`, a record or a variant.
    fn word(&mut self) -> Option<Printed> {
        let rest = self.rest();
        let end = rest.find(|c: char| ",(){}[]:\"' ".contains(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.is_empty() {
            return None;
        }
        self.at += end;
        if let Ok(number) = word.parse() {
            return Some(Printed::Number(number));
        }
        match word {
            "true" => return Some(Printed::Bool(true)),
            "false" => return Some(Printed::Bool(false)),
            _ => {}
        }
        // Only a node stands directly before a bracket: its number in its group.
        if self.rest().starts_with('[') {
            let close = self.rest().find(']')?;
            self.at += close + 1;
            return Some(Printed::Text(rest[..end + close + 1].to_owned()));
        }
        if self.rest().starts_with('(') {
            self.eat('(');
            return Some(Printed::Variant(word.to_owned(), self.list(')')?));
        }
        if self.rest().starts_with(" {") {
            self.eat('{');
            return self.fields(word);
        }
        Some(Printed::Text(word.to_owned()))
    }

    fn fields(&mut self, name: &str) -> Option<Printed> {
        let mut fields = Vec::new();
        while !self.eat('}') {
            self.peek()?;
            let rest = self.rest();
            let end = rest.find(':')?;
            let field = rest[..end].trim().to_owned();
            self.at += end + 1;
            fields.push((field, self.value()?));
            if !self.eat(',') && self.peek() != Some('}') {
                return None;
            }
        }
        Some(Printed::Record(name.to_owned(), fields))
    }
}

#[cfg(test)]
mod tests {
    use super::Printed::*;
    use super::read;

    fn text(text: &str) -> super::Printed {
        Text(text.to_owned())
    }

    #[test]
    fn what_values_print_is_read() {
        assert_eq!(read("-7"), Number(-7));
        assert_eq!(read("true"), Bool(true));
        assert_eq!(read("n[12]"), text("n[12]"));
        assert_eq!(read("{n[0], tm}"), Set(vec![text("n[0]"), text("tm")]));
        assert_eq!(read("{}"), Set(vec![]));
        assert_eq!(read("{1: [true, false]}"), Map(vec![(Number(1), List(vec![Bool(true), Bool(false)]))]));
        assert_eq!(read("Some((1, \"a, \\\"b\"))"), {
            Variant("Some".into(), vec![Tuple(vec![Number(1), text("a, \"b")])])
        });
        assert_eq!(
            read("Put { key: 1, to: n[0] }"),
            Record("Put".into(), vec![("key".into(), Number(1)), ("to".into(), text("n[0]"))])
        );
        assert_eq!(read("1.5s"), text("1.5s"));
        assert_eq!(read("{a"), text("{a"));
        assert_eq!(read("odd: thing"), text("odd: thing"));
    }
}
