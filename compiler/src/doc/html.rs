//! Text to HTML: escaping, the small part of Markdown that comments use, and colours for code.

/// Text as it may stand in an element or in an attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A documentation comment: paragraphs, lists, fenced code, `code`, *emphasis* and **strong** words.
pub fn markdown(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if trimmed.starts_with("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| !line.trim().starts_with("```")).collect();
            out.push_str(&format!("<pre>{}</pre>\n", code(&dedent(&body.join("\n")))));
            continue;
        }
        let item = bullet(trimmed);
        let mut block = vec![item.unwrap_or(trimmed.trim_start_matches('#').trim())];
        while let Some(next) = lines.peek().map(|line| line.trim()) {
            if next.is_empty() || bullet(next).is_some() || next.starts_with("```") {
                break;
            }
            block.push(next);
            lines.next();
        }
        let words = inline(&block.join(" "));
        match item {
            // Items of one list stand next to each other; the style joins them.
            Some(_) => out.push_str(&format!("<p class=\"item\">{words}</p>\n")),
            None => out.push_str(&format!("<p>{words}</p>\n")),
        }
    }
    out
}

/// The first paragraph of a comment, as one line of HTML.
pub fn summary(text: &str) -> String {
    let words: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    inline(&words.join(" "))
}

fn bullet(line: &str) -> Option<&str> {
    line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).map(str::trim)
}

/// Marks within a line. A mark without its partner stands for itself.
pub fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        out.push_str(&escape(&rest[..at]));
        let tail = &rest[at..];
        let (mark, tag) = match () {
            () if tail.starts_with('`') => ("`", "code"),
            () if tail.starts_with("**") => ("**", "strong"),
            () => ("*", "em"),
        };
        let inside = &tail[mark.len()..];
        let end = inside.find(mark).filter(|end| *end > 0 && !inside.starts_with(' '));
        match end {
            Some(end) => {
                let words = if tag == "code" { escape(&inside[..end]) } else { inline(&inside[..end]) };
                out.push_str(&format!("<{tag}>{words}</{tag}>"));
                rest = &inside[end + mark.len()..];
            }
            None => {
                out.push_str(mark);
                rest = inside;
            }
        }
    }
    out.push_str(&escape(rest));
    out
}

/// Removes the white space that all lines but the first begin with, as far as they share it.
pub fn dedent(text: &str) -> String {
    let rest = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let shared = rest.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("").to_owned();
    lines.fold(first, |out, line| out + "\n" + line.get(shared..).unwrap_or(line.trim_start()))
}

const KEYWORDS: &[&str] = &[
    "allow",
    "always",
    "as",
    "aspect",
    "break",
    "call",
    "check",
    "choice",
    "choose",
    "choose_or",
    "const",
    "continue",
    "count",
    "crash",
    "deliver",
    "downcall",
    "durable",
    "each",
    "else",
    "enum",
    "eventually",
    "every",
    "exists",
    "expect",
    "export",
    "expected",
    "fair",
    "faults",
    "fire",
    "first",
    "fn",
    "for",
    "forall",
    "generic",
    "ghost",
    "given",
    "horizon",
    "if",
    "iff",
    "ignore",
    "impl",
    "implies",
    "import",
    "in",
    "interface",
    "leads",
    "let",
    "liveness",
    "local",
    "loop",
    "match",
    "max",
    "maximize",
    "me",
    "messages",
    "min",
    "minimize",
    "mut",
    "network",
    "nodes",
    "objectives",
    "once",
    "otherwise",
    "over",
    "parameters",
    "per",
    "probability",
    "properties",
    "provides",
    "random",
    "reachable",
    "refuse",
    "restart",
    "return",
    "routines",
    "run",
    "safety",
    "scenario",
    "scheduler",
    "secret",
    "self",
    "send",
    "service",
    "state",
    "states",
    "statistical",
    "struct",
    "sum",
    "system",
    "timers",
    "to",
    "transitions",
    "type",
    "upcall",
    "uses",
    "variables",
    "weight",
    "when",
    "where",
    "while",
    "within",
    "workload",
];

/// Code with colours: keywords, names of types, numbers, strings and comments.
pub fn code(text: &str) -> String {
    let mut out = String::new();
    let (mut rest, mut after_dot) = (text, false);
    while let Some(first) = rest.chars().next() {
        let (length, class) = token(rest, first);
        let (word, tail) = rest.split_at(length);
        let class = if after_dot && class == "k" { "" } else { class };
        after_dot = word == ".";
        match class {
            "" => out.push_str(&escape(word)),
            class => out.push_str(&format!("<span class=\"{class}\">{}</span>", escape(word))),
        }
        rest = tail;
    }
    out
}

/// The length of the token at the start of `rest`, and its class.
fn token(rest: &str, first: char) -> (usize, &'static str) {
    let run = |accepts: fn(char) -> bool| rest.find(|c: char| !accepts(c)).unwrap_or(rest.len());
    let word = |c: char| c.is_alphanumeric() || c == '_';
    match first {
        '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), "c"),
        '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), "c"),
        '"' => (string(rest), "s"),
        c if c.is_ascii_digit() => (run(word), "n"),
        c if c.is_alphabetic() || c == '_' => {
            let length = run(word);
            let class = match &rest[..length] {
                name if KEYWORDS.contains(&name) => "k",
                "true" | "false" => "n",
                name if name.starts_with(char::is_uppercase) => "t",
                _ => "",
            };
            (length, class)
        }
        c => (c.len_utf8(), ""),
    }
}

/// The length of the string at the start, with its quotes.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_paragraphs_lists_and_code() {
        let html =
            markdown("One *two* `a < b`\nthree.\n\n- x **y**\n  z\n- w\n\n```\nlet a = 1;\n```\n# Title");
        let expected = "<p>One <em>two</em> <code>a &lt; b</code> three.</p>\n<p class=\"item\">x <strong>y</strong> z</p>\n\
                        <p class=\"item\">w</p>\n<pre><span class=\"k\">let</span> a = <span class=\"n\">1</span>;</pre>\n\
                        <p>Title</p>\n";
        assert_eq!(html, expected);
        assert_eq!(summary("One\ntwo <b>\n\nthree"), "One two &lt;b&gt;");
    }

    #[test]
    fn marks_without_a_partner_stand_for_themselves() {
        assert_eq!(inline("2 * 3 * 4, `open, **"), "2 * 3 * 4, `open, **");
        assert_eq!(inline("***"), "***");
        assert_eq!(inline("`*`"), "<code>*</code>");
    }

    #[test]
    fn code_is_coloured_and_escaped() {
        let html = code("when x < 5s { send(\"a\\\"<\", Join) } // é\n");
        assert!(
            html.starts_with("<span class=\"k\">when</span> x &lt; <span class=\"n\">5s</span>"),
            "{html}"
        );
        assert!(html.contains("<span class=\"s\">&quot;a\\&quot;&lt;&quot;</span>"), "{html}");
        assert!(
            html.contains("<span class=\"t\">Join</span>") && html.contains("<span class=\"c\">// é</span>"),
            "{html}"
        );
        for odd in ["\"open", "/* open", "é", "'a", ""] {
            assert!(!code(odd).is_empty() || odd.is_empty());
        }
    }

    #[test]
    fn dedent_keeps_the_shape() {
        assert_eq!(dedent("a {\n        b\n          c\n    }"), "a {\n    b\n      c\n}");
        assert_eq!(dedent("a"), "a");
    }
}
