//! Source text with what is no code blanked out, so that a rule never trips over a comment.
//!
//! There is a blank for each byte and line ends stay: offsets and line numbers are those of the file.

/// What differs between the two languages, as far as it matters here.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Language {
    Rust,
    TypeScript,
}

#[derive(PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Blanks comments, doc comments included.
pub(crate) fn without_comments(text: &str, language: Language) -> String {
    mask(text, language, &[Kind::Comment])
}

/// Blanks comments and literals.
pub(crate) fn without_comments_and_literals(text: &str, language: Language) -> String {
    mask(text, language, &[Kind::Comment, Kind::Literal])
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn mask(text: &str, language: Language, blanked: &[Kind]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = piece(rest, &masked, language);
        let (here, after) = rest.split_at(length);
        if blanked.contains(&kind) {
            masked.extend(here.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        } else {
            masked.push_str(here);
        }
        rest = after;
    }
    masked
}

/// What starts here, and its length: a comment, a literal, or one character of code.
fn piece(rest: &str, before: &str, language: Language) -> (Kind, usize) {
    let rust = language == Language::Rust;
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest, rust));
    }
    let first = rest.chars().next().unwrap_or_default();
    let literal = match first {
        '"' => Some(quoted(rest, '"')),
        'r' if rust && !follows_word(before) => raw_string(rest),
        '\'' if rust => character(rest),
        '\'' | '`' => Some(quoted(rest, first)),
        '/' if !rust && !follows_value(before) => Some(quoted(rest, '/')),
        _ => None,
    };
    literal.map_or((Kind::Code, first.len_utf8()), |length| (Kind::Literal, length))
}

/// Rust's block comments nest.
fn block_comment(rest: &str, nested: bool) -> usize {
    let (mut depth, mut at) = (1, 2);
    while depth > 0 && at < rest.len() {
        at += match &rest.as_bytes()[at..] {
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            [b'/', b'*', ..] if nested => {
                depth += 1;
                2
            }
            _ => 1,
        };
    }
    // An unclosed comment may end within a character; a closed one ends behind its slash.
    if depth > 0 { rest.len() } else { at }
}

/// A literal that ends with `quote`; a backslash escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return offset + character.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// `r"…"` or `r#"…"#`, but not the raw identifier `r#type`.
fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
    let inner = rest[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(inner.find(&end).map_or(rest.len(), |offset| 2 + hashes + offset + end.len()))
}

/// `'x'` or `'\n'`, but not the lifetime `'a`.
fn character(rest: &str) -> Option<usize> {
    let mut inner = rest.chars().skip(1);
    match (inner.next()?, inner.next()?) {
        ('\\', _) => Some(quoted(rest, '\'')),
        (character, '\'') => Some(character.len_utf8() + 2),
        _ => None,
    }
}

/// Whether the `r` here is the end of a word, as in `for`; `br"…"` and `cr"…"` are literals.
fn follows_word(before: &str) -> bool {
    let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
    !matches!(&before[start..], "" | "b" | "c")
}

/// In TypeScript a slash divides after a value, and opens a regular expression elsewhere.
fn follows_value(before: &str) -> bool {
    let before = before.trim_end();
    let value = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ')' | ']' | '}' | '"' | '`' | '\'');
    before.ends_with(value) && !before.ends_with("return")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> String {
        let masked = without_comments_and_literals(text, Language::Rust);
        assert_eq!(masked.len(), text.len());
        masked.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn typescript(text: &str) -> String {
        without_comments(text, Language::TypeScript).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_of_rust_are_blanked() {
        assert_eq!(rust("a // b\n/// c\nd /* e /* f */ é */ g /* h"), "a d g");
        assert_eq!(rust("/// it's\nx"), "x");
    }

    #[test]
    fn literals_of_rust_are_blanked() {
        assert_eq!(rust(r##"f("// a \" b", r#"c " d"#, br"\", 'e', '\'', '"') g"##), "f( , , b , , , ) g");
    }

    #[test]
    fn lifetimes_and_words_that_end_in_r_are_code() {
        assert_eq!(rust("fn f<'a>(x: &'a str, r#type: u8) // b"), "fn f<'a>(x: &'a str, r#type: u8)");
        assert_eq!(rust("for\"a\" or"), "for or");
    }

    #[test]
    fn comments_of_typescript_are_blanked_and_strings_stay() {
        assert_eq!(typescript("a('https://b') /* c */ `//d` // e"), "a('https://b') `//d`");
        assert_eq!(typescript("x = a / b; // c / d"), "x = a / b;");
        assert_eq!(typescript(r#"return /["'/]/.test(x) // "a"#), r#"return /["'/]/.test(x)"#);
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!((line_of("a\nb", 0), line_of("a\nb", 2)), (1, 2));
    }
}
