//! Tests of whole pages.

use super::*;
use crate::compile;
use crate::import::Nothing;
use crate::parse::parse;
use crate::source::SourceFile;
use crate::tokens::TokenIndex;

fn pages(files: &[(&str, &str)]) -> Vec<Page> {
    type Parsed = (SourceFile, Ast, TokenIndex, BTreeMap<String, Tables>);
    let parsed: Vec<Parsed> = files
        .iter()
        .map(|(name, text)| {
            let file = SourceFile::new(*name, *text);
            let (ast, errors) = parse(&file);
            assert!(!errors.has_errors(), "{errors:?}");
            let tokens = TokenIndex::of_source(&file).expect("tokens");
            let tables = compile::describe(&compile::load(file.clone(), &Nothing));
            (file, ast, tokens, tables)
        })
        .collect();
    let specs: Vec<Spec<'_>> = parsed
        .iter()
        .map(|(file, ast, tokens, tables)| Spec { places: Places { file, tokens }, ast, tables })
        .collect();
    site(&specs)
}

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/language/{name}.mace", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture")
}

/// Elements that are opened are closed, in order; attributes are quoted.
fn assert_well_formed(page: &Page) {
    const VOID: [&str; 3] = ["meta", "!DOCTYPE", "br"];
    let mut open: Vec<&str> = vec![];
    let without_style = page.html.split("<style>").next().unwrap_or_default().to_owned()
        + page.html.split("</style>").nth(1).unwrap_or_default();
    for tag in without_style.split('<').skip(1) {
        let (inside, _) = tag.split_once('>').unwrap_or_else(|| panic!("{}: `<{tag}` has no end", page.file));
        let name = inside.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{} near <{tag}", page.file);
        } else if !inside.ends_with('/') && !VOID.contains(&name) {
            open.push(&inside[..name.len()]);
        }
        assert_eq!(inside.matches('"').count() % 2, 0, "{}: <{inside}>", page.file);
    }
    assert!(open.is_empty(), "{}: {open:?} are never closed", page.file);
}

#[test]
fn every_shared_spec_has_its_pages() {
    let names = ["cheatsheet", "paxos", "rand_tree", "reliable_link", "scribe"];
    let texts: Vec<(String, String)> =
        names.iter().map(|name| (format!("specs/{name}.mace"), fixture(name))).collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let pages = pages(&files);
    let page =
        |name: &str| pages.iter().find(|page| page.file == name).unwrap_or_else(|| panic!("no page {name}"));
    pages.iter().for_each(assert_well_formed);
    let index = page("index.html");
    for page in &pages[1..] {
        assert!(
            index.html.contains(&format!("href=\"{}\"", page.file)),
            "the index does not lead to {}",
            page.file
        );
    }
    let tree = &page("rand_tree.RandTree.html").html;
    for expected in [
        "<svg class=\"diagram\"",
        "A random overlay tree",
        "id=\"on-accept\"",
        "href=\"#on-rejoin\"",
        "joined(root: ",
        "<span class=\"tag safety\">safety</span> no_loop",
        "<span class=\"tag minimize\">minimize</span> depth",
        "<b>climb</b>(target <span class=\"k\">in</span> above())",
        "scenario <b>third_goes_down</b>",
        "id=\"message-Join\"",
    ] {
        assert!(tree.contains(expected), "{expected} is missing");
    }
}

#[test]
fn layers_and_imports_lead_to_their_pages() {
    let store =
        "interface Store { downcall put(x: u8); }\nservice Disk { provides Store; uses net: Reliable; }";
    let top = "import store::{Store, Disk as Below};\nimport other;\nservice Top { provides Store by low; uses low: Store = Below; \
               uses free: Store; messages { M; } uses net: Datagram; transitions { upcall start() { send(me, M); } } }\n\
               system S { nodes { n: Top { free: Below { x: 1 } }; } }";
    let pages = pages(&[("specs/store.mace", store), ("specs/top.mace", top)]);
    pages.iter().for_each(assert_well_formed);
    let page = |name: &str| &pages.iter().find(|page| page.file == name).expect("a page").html;
    let top = page("top.Top.html");
    for expected in [
        "passed through from <code>low</code>",
        "<a href=\"store.Disk.html\">Below</a> unless a system says otherwise",
        "in S: <a href=\"store.Disk.html\">Below</a>",
        "<code>Store</code>, <a href=\"store.Disk.html\">Below</a>",
        "<code>other</code></th><td>all of it",
        "the network",
        // The message goes over the network, though another layer is named first.
        "<td>net</td>",
    ] {
        assert!(top.contains(expected), "{expected} is missing in {top}");
    }
    assert!(
        page("store.Disk.html")
            .contains("<th>used by</th><td><a href=\"top.Top.html\">Top</a></td><td><code>low</code>")
    );
    assert_eq!(pages[2].about, Some(("specs/top.mace".to_owned(), "Top".to_owned())));
}

#[test]
fn every_link_within_a_page_leads_somewhere() {
    let text = fixture("rand_tree");
    for page in pages(&[("rand_tree.mace", &text)]) {
        for target in page.html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(
                page.html.contains(&format!("id=\"{target}\"")),
                "{}: #{target} leads nowhere",
                page.file
            );
        }
    }
}

#[test]
fn pages_of_like_named_services_are_kept_apart_and_text_is_escaped() {
    let text = "/// A <script> & such.\nservice A { variables { x: BTreeMap<u8, u8>; } }";
    let pages = pages(&[("a/x.mace", text), ("b/x.mace", text)]);
    let files: Vec<&str> = pages.iter().map(|page| page.file.as_str()).collect();
    assert_eq!(files, ["index.html", "x.A.html", "x.A-2.html"]);
    for page in &pages {
        assert_well_formed(page);
        assert!(!page.html.contains("<script"));
    }
}

#[test]
fn a_page_shows_what_the_analyses_know() {
    let text = "service A { uses net: Datagram; parameters { peers: BTreeSet<NodeId>; } variables { load: u8; } messages { Hi; Ho; }
        transitions { upcall start() { send(&peers, Hi); send(me, Ho); } upcall deliver(src, Hi) when load < 3 { load += 1; }
        upcall deliver(_, Ho) { } } }";
    let pages =
        pages(&[("a.mace", text), ("b.mace", "service B { transitions { upcall deliver(_, Hi) { } } }")]);
    assert_well_formed(&pages[1]);
    for expected in [
        "<b>Hi</b> to <code>&amp;peers</code> (held) over net",
        "<th><code>deliver_Hi</code></th><td><code>load</code></td><td><code>load</code></td><td><code>load</code></td>",
        "<th>node ids stand in</th><td>parameter peers[*]</td>",
    ] {
        assert!(pages[1].html.contains(expected), "{expected} is missing: {}", pages[1].html);
    }
    // What is wrong has its page all the same.
    assert!(pages[2].html.contains("id=\"handlers\"") && !pages[2].html.contains("id=\"analyses\""));
}
