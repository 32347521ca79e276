//! A generator of specifications, driven by bytes: each byte is one decision, and when they are used up every decision is
//! the plainest. The text is a list of words and signs with white space and comments between them.

mod expr;
mod parts;

/// How deep expressions and groups are nested.
const DEPTH_MAX: usize = 3;

/// A specification that the parser accepts.
pub fn spec(bytes: &[u8], comments: bool) -> String {
    let mut gen_ = Gen { bytes: bytes.iter(), out: Vec::new(), depth: 0 };
    let items = 2 + gen_.pick(4);
    for _ in 0..items {
        gen_.item();
    }
    let words = std::mem::take(&mut gen_.out);
    gen_.join(&words, comments)
}

/// The decisions that are left, and the words so far.
pub struct Gen<'a> {
    bytes: std::slice::Iter<'a, u8>,
    out: Vec<String>,
    depth: usize,
}

impl Gen<'_> {
    /// One of `n`; 0 when no byte is left.
    fn pick(&mut self, n: usize) -> usize {
        self.bytes.next().map_or(0, |byte| *byte as usize % n)
    }

    fn often(&mut self) -> bool {
        self.pick(2) == 1
    }

    fn rarely(&mut self) -> bool {
        self.pick(5) == 4
    }

    /// Adds words, separated by blanks.
    fn put(&mut self, words: &str) -> &mut Self {
        self.out.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    /// One of several texts.
    fn one(&mut self, of: &[&str]) {
        let at = self.pick(of.len());
        self.put(of[at]);
    }

    /// Several of something, between `least` and `least + 2`, with a sign between them.
    fn several(&mut self, least: usize, sign: &str, mut part: impl FnMut(&mut Self)) {
        let count = least + self.pick(3);
        for at in 0..count {
            if at > 0 {
                self.put(sign);
            }
            part(self);
        }
    }

    /// A block of several entries.
    fn block(&mut self, head: &str, entry: impl FnMut(&mut Self)) {
        self.put(head).put("{");
        self.several(0, "", entry);
        self.put("}");
    }

    fn name(&mut self) {
        self.one(&["a", "b", "load", "r#in", "count_of", "when", "größe", "a_name_of_many_letters"]);
    }

    fn type_name(&mut self) {
        self.one(&["A", "Server", "ALongNameOfSomething", "B2"]);
    }

    /// The words as text. Comments are numbered, so that none is like another.
    fn join(&mut self, words: &[String], comments: bool) -> String {
        let mut text = String::new();
        for (at, word) in words.iter().enumerate() {
            text.push_str(word);
            let gap = match self.pick(if comments { 40 } else { 12 }) {
                1 => "\n".to_owned(),
                2 => "\n\n\n   ".to_owned(),
                3 => "   ".to_owned(),
                4 => "\r\n\t".to_owned(),
                12 => format!(" //{at}\n"),
                13 => format!("\n//{at} a remark\n"),
                14 => format!(" /*{at}*/ "),
                15 => format!("\n\n  /*{at}\n      two lines */\n"),
                16 => format!("  //{at} first\n  // second\n\n"),
                _ => " ".to_owned(),
            };
            text.push_str(&gap);
        }
        text.push('\n');
        text
    }
}
