//! Rust text, split into code, comments and literals.
//!
//! Invariants: both views have the text's length and its line breaks, so an offset in one is the same offset in
//! the other and in the text. Text that is not Rust gives views too, if not sensible ones; nothing here fails.
//!
//! It builds no syntax tree.

use std::ops::Range;

mod lexer;

/// The attributes that begin what is compiled for tests only.
const TEST_ATTRIBUTES: &[&str] = &["#[cfg(test)]", "#[cfg(all(test,", "#![cfg(test)]"];

/// One Rust text in two views.
pub(super) struct Code {
    /// Comments, strings and characters are blank.
    pub(super) bare: String,
    /// Comments are blank.
    pub(super) with_literals: String,
}

impl Code {
    pub(super) fn read(text: &str) -> Self {
        let mut bare = String::with_capacity(text.len());
        let mut with_literals = String::with_capacity(text.len());
        for (kind, token) in lexer::tokens(text) {
            match kind {
                lexer::Kind::Plain => bare.push_str(token),
                lexer::Kind::Literal | lexer::Kind::Comment => push_blank(&mut bare, token),
            }
            match kind {
                lexer::Kind::Plain | lexer::Kind::Literal => with_literals.push_str(token),
                lexer::Kind::Comment => push_blank(&mut with_literals, token),
            }
        }
        Self { bare, with_literals }
    }

    /// Where a piece of code is. A piece that begins or ends as a word must not be part of a longer one.
    pub(super) fn find<'a>(&'a self, piece: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.bare.match_indices(piece).map(|(at, _)| at).filter(move |at| is_whole(&self.bare, *at, piece))
    }

    /// What is compiled for tests only.
    pub(super) fn test_places(&self) -> Places {
        let starts = TEST_ATTRIBUTES.iter().flat_map(|attribute| self.bare.match_indices(attribute));
        Places(starts.map(|(at, attribute)| self.item_after(at, attribute)).collect())
    }

    /// The items under `#[expect(…)]` with this lint: an exception with its reason, which the compiler checks.
    pub(super) fn excepted_places(&self, lint: &str) -> Places {
        let starts =
            ["#[expect(", "#![expect("].iter().flat_map(|attribute| self.bare.match_indices(attribute));
        let naming = starts.filter(|(at, attribute)| {
            let words = &self.bare[*at..self.closing(at + attribute.len() - 1)];
            words.match_indices(lint).any(|(at, _)| is_whole(words, at, lint))
        });
        Places(naming.map(|(at, attribute)| self.item_after(at, attribute)).collect())
    }

    /// The names in `#[cfg(test)] mod name;`.
    pub(super) fn test_module_names(&self) -> impl Iterator<Item = &str> {
        let items = self.test_places().0.into_iter().filter_map(|place| self.bare.get(place));
        items.filter_map(|item| item.strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name.trim()))
    }

    /// From an attribute to the end of the item it is on.
    fn item_after(&self, at: usize, attribute: &str) -> Range<usize> {
        if attribute.starts_with("#!") {
            return 0..self.bare.len();
        }
        let mut after = self.closing(at + 1);
        while let Some(found) = self.bare[after..].find([';', '{', '(', '[']) {
            let mark = after + found;
            after = self.closing(mark);
            if self.bare[mark..].starts_with([';', '{']) {
                return at..after;
            }
        }
        at..self.bare.len()
    }

    /// Past the bracket that closes the one at `open`, or the end of the text. Past `open` if there is no bracket.
    pub(super) fn closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for (at, byte) in self.bare.bytes().enumerate().skip(open) {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
        self.bare.len()
    }
}

/// Ranges of bytes.
pub(super) struct Places(Vec<Range<usize>>);

impl Places {
    /// No byte.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Every byte.
    pub(super) fn all() -> Self {
        Self(std::iter::once(0..usize::MAX).collect())
    }

    pub(super) fn contains(&self, at: usize) -> bool {
        self.0.iter().any(|place| place.contains(&at))
    }
}

/// Whether `letter` can be part of an identifier.
pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether `piece`, found at `at`, is not part of longer words.
pub(super) fn is_whole(text: &str, at: usize, piece: &str) -> bool {
    let joins =
        |one: Option<char>, other: Option<char>| one.is_some_and(is_word) && other.is_some_and(is_word);
    let before = text[..at].chars().next_back();
    let after = text[at + piece.len()..].chars().next();
    !joins(before, piece.chars().next()) && !joins(piece.chars().next_back(), after)
}

fn push_blank(to: &mut String, token: &str) {
    to.extend(token.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want_bare: &str) {
        let code = Code::read(text);
        assert_eq!(code.bare, want_bare);
        assert_eq!(code.with_literals.len(), text.len());
    }

    #[test]
    fn comments_and_literals_are_blank_and_keep_their_length_and_lines() {
        check("a // b\nc", "a     \nc");
        check("a /* b /* c */\nd */ e", "a             \n     e");
        check(r#"f("a\"b", 'c', '\'', b"d")"#, r#"f(      ,    ,     , b   )"#);
        check("r#\"a\"b\"# + r\"\\\" + x", "         +      + x");
        check("fn f<'a>(x: &'a str) { 'l: loop {} }", "fn f<'a>(x: &'a str) { 'l: loop {} }");
        check("\"é\n\" é", "   \n  é");
    }

    #[test]
    fn literals_stay_in_the_other_view() {
        assert_eq!(Code::read("f(\"a\") // b").with_literals, "f(\"a\")     ");
    }

    #[test]
    fn a_piece_is_found_only_as_whole_words() {
        let code = Code::read("unsleep(); t::sleep(); x.sleep(); // sleep(");
        assert_eq!(code.find("sleep(").collect::<Vec<_>>(), [14, 25]);
        assert_eq!(Code::read("dial dialog").find("dial").count(), 1);
    }

    #[test]
    fn what_is_compiled_for_tests_goes_to_the_end_of_its_item() {
        let code = Code::read("a\n#[cfg(test)]\n#[expect(x, reason = \";\")]\nmod t { { } }\nb");
        let tests = code.test_places();
        let is_test = |piece: &str| code.find(piece).all(|at| tests.contains(at));
        assert!(is_test("mod"));
        assert!(!is_test("a"));
        assert!(!is_test("b"));
    }

    #[test]
    fn an_all_with_test_in_it_is_for_tests_and_an_any_is_not() {
        for (attribute, want) in [("all(test, unix)", true), ("any(test, unix)", false), ("not(test)", false)]
        {
            let code = Code::read(&format!("#[cfg({attribute})]\nfn f() {{}}\n"));
            assert_eq!(code.test_places().contains(code.bare.len() - 3), want, "{attribute}");
        }
    }

    #[test]
    fn an_exception_goes_to_the_end_of_its_item() {
        let text = "#[expect(\n    a::b, // why\n    reason = \"r\"\n)]\nfn f() { one }\nfn g() { two }";
        let code = Code::read(text);
        let is_excepted = |lint: &str, piece: &str| {
            let places = code.excepted_places(lint);
            code.find(piece).all(|at| places.contains(at))
        };
        assert!(is_excepted("a::b", "one"));
        assert!(!is_excepted("a::b", "two"));
        assert!(!is_excepted("a::bc", "one"));
        assert!(!is_excepted("a", "two"));
        assert!(Code::read("#![expect(a::b)]\nfn f() {}").excepted_places("a::b").contains(20));
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_named() {
        let code = Code::read("#[cfg(test)]\nmod tests;\nmod other;\n#[cfg(test)]\nmod here { mod x; }");
        assert_eq!(code.test_module_names().collect::<Vec<_>>(), ["tests"]);
    }
}
