//! Reads one place's values into a type, and finds everything that is wrong with them.
//!
//! serde stops at the first error. So that error is noted, its value removed, and the rest read again, until nothing is
//! wrong any more.
//!
//! Invariants: each round removes something that is not a default, and the number of rounds is bounded; an error that
//! follows from a noted one is not noted. All missing keys of a section are noted, up to the first whose type accepts no
//! blank. Does not know keys by name.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_path_to_error::{Segment, deserialize};

use super::{
    de::Problem,
    error::ConfigError,
    tree::{Node, Value},
    unknown::{shown, unknown},
};

/// Rounds at most: each reads everything again, and nobody corrects this many mistakes at once.
const ROUNDS_MAX: usize = 1000;

/// What is wrong in `values`, which are laid over `defaults`; in the order of their lines.
pub(crate) fn mistakes<T: DeserializeOwned>(defaults: &Node, values: Node) -> Vec<ConfigError> {
    let mut tree = defaults.clone();
    tree.lay(values);
    let mut reading = Reading { defaults: defaults.clone(), tree, noted: HashSet::new(), found: Vec::new() };
    let mut rounds = 0..ROUNDS_MAX;
    while let Err(error) = deserialize::<_, T>(&reading.tree) {
        let path: Vec<Segment> = error.path().iter().cloned().collect();
        if rounds.next().is_none() {
            let more = ConfigError::at(&"configuration", "there are more mistakes; mend these first");
            reading.found.push((usize::MAX, more));
            break;
        }
        if !reading.note(&path, error.inner()) {
            break;
        }
    }
    reading.found.sort_by_key(|(line, _)| *line);
    reading.found.into_iter().map(|(_, mistake)| mistake).collect()
}

struct Reading {
    defaults: Node,
    tree: Node,
    /// The paths of values that were wrong and have been removed.
    noted: HashSet<String>,
    /// With their lines.
    found: Vec<(usize, ConfigError)>,
}

impl Reading {
    /// Notes what is wrong, and removes it. Returns whether that changed anything.
    fn note(&mut self, path: &[Segment], problem: &Problem) -> bool {
        match problem {
            Problem::UnknownKey(known) => self.note_unknown(path, known),
            Problem::Missing(name) => self.note_missing(path, name),
            Problem::Blank => self.drop_element(path),
            Problem::NotASection => self.note_value(path, |at, node| match path.last() {
                Some(Segment::Seq { .. }) => not_sections(at, node),
                _ => {
                    let problem = format!("{at} is a section: write [{at}] and its keys below it");
                    ConfigError::at(&node.origin, &problem)
                }
            }),
            Problem::NotSections => self.note_value(path, not_sections),
            Problem::Wrong(problem) => self.note_value(path, |at, node| {
                let item = match path.last() {
                    Some(Segment::Seq { index }) => format!("item {} of ", index + 1),
                    _ => String::new(),
                };
                let section = node.entries().map(|_| "this is a section");
                let why = section.or_else(|| node.stray()).filter(|why| !problem.contains(why));
                let why = why.map_or_else(String::new, |why| format!("{why}; "));
                ConfigError::at_value(&format!("{item}{at}"), node, &format!("{why}{problem}"))
            }),
        }
    }

    fn note_value(&mut self, path: &[Segment], told: impl FnOnce(&str, &Node) -> ConfigError) -> bool {
        let Some(node) = self.tree.at(path) else { return false };
        if node.has_blank() {
            return self.drop_element(path);
        }
        self.found.push((node.origin.line(), told(&shown(path), node)));
        self.take(path)
    }

    /// All unknown keys of one table at once: a file of another program has many.
    fn note_unknown(&mut self, path: &[Segment], known: &[&'static str]) -> bool {
        let Some((_, table)) = path.split_last() else { return false };
        let Some(Value::Table(entries)) = self.tree.at(table).map(|node| &mut node.value) else {
            return false;
        };
        let before = entries.len();
        entries.retain(|name, node| {
            let is_known = known.contains(&name.as_str());
            if !is_known {
                let told = unknown(table, name, node, known);
                self.found.push((node.origin.line(), ConfigError::at(&node.origin, &told)));
            }
            is_known
        });
        entries.len() < before
    }

    /// Puts a blank where a key is missing, to find out whether more keys are.
    fn note_missing(&mut self, table: &[Segment], name: &str) -> bool {
        let Some(node) = self.tree.at(table) else { return false };
        let origin = node.origin.clone();
        node.put(name, Node::new(Value::Blank, origin.clone()));
        if !self.noted.contains(&place(&[table, &[Segment::Map { key: name.to_owned() }]].concat())) {
            let told = format!("{} needs the key {name}", shown(table));
            self.found.push((origin.line(), ConfigError::at(&origin, &told)));
        }
        true
    }

    /// Removes an element of a list whose type accepts no blank: it is noted already, and the others can still be read.
    fn drop_element(&mut self, path: &[Segment]) -> bool {
        let index = path.iter().rposition(|segment| matches!(segment, Segment::Seq { .. }));
        let Some(element) = index.map(|index| &path[..=index]) else { return false };
        let inside = place(element);
        self.noted.retain(|path| !path.starts_with(&inside));
        self.tree.remove(element).is_some()
    }

    /// Replaces a value with its default, or removes it if there is none. A blank keeps the place of an item in its list.
    fn take(&mut self, path: &[Segment]) -> bool {
        self.noted.insert(place(path));
        match (self.defaults.at(path), self.tree.at(path)) {
            (Some(default), Some(node)) if default != node => node.clone_from(default),
            (Some(_), _) => return false,
            (None, Some(node)) if matches!(path.last(), Some(Segment::Seq { .. })) => {
                node.value = Value::Blank;
            }
            (None, _) => return self.tree.remove(path).is_some(),
        }
        true
    }
}

/// A path as text; the paths of everything inside begin with it.
fn place(path: &[Segment]) -> String {
    path.iter().map(|segment| format!("{segment:?}")).collect()
}

fn not_sections(at: &str, node: &Node) -> ConfigError {
    let problem = format!("{at} is a list of sections: write [[{at}]] and the keys of one below it");
    ConfigError::at(&node.origin, &problem)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;
    use crate::config::{file, kinds::Kind, kinds::Time};

    /// A file with a list of sections, in plain serde.
    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Served<P = Program> {
        #[serde(default = "Vec::new")]
        program: Vec<P>,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Program {
        name: String,
        command: Vec<String>,
        #[serde(with = "Time::<1, 3_600_000>")]
        timeout: Duration,
        #[serde(default)]
        mode: Mode,
        #[serde(default)]
        pty: bool,
        #[serde(default)]
        runs_max: Option<u8>,
    }

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        #[default]
        Shared,
        Each,
    }

    /// A section whose name can't be blank.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is read, and not looked at")]
    struct Named {
        name: Name,
        command: Vec<String>,
    }

    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Name;

    impl TryFrom<String> for Name {
        type Error = &'static str;

        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.is_empty() { Err("a name is not empty") } else { Ok(Self) }
        }
    }

    fn parsed(text: &str) -> Node {
        let mut mistakes = Vec::new();
        let node = file::parse("t", text, &mut mistakes);
        assert_eq!(mistakes, [], "{text}");
        node
    }

    #[track_caller]
    fn check(text: &str, wants: &[&str]) {
        check_as::<Program>(text, wants);
    }

    #[track_caller]
    fn check_as<P: DeserializeOwned>(text: &str, wants: &[&str]) {
        let found = mistakes::<Served<P>>(&Node::root(), parsed(text));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), wants, "{text}");
    }

    const RIGHT: &str = "[[program]]\nname = \"a\"\ncommand = [\"x\", \"y\"]\ntimeout = \"5s\"\n";

    #[test]
    fn a_list_of_sections_is_plain_serde() {
        let all = "mode = \"each\"\npty = true\nruns_max = 3\n";
        let tree = parsed(&format!("{RIGHT}{RIGHT}{all}"));
        let served = Served::<Program>::deserialize(&tree).unwrap();
        let first = Program {
            name: "a".to_owned(),
            command: vec!["x".to_owned(), "y".to_owned()],
            timeout: Duration::from_secs(5),
            mode: Mode::Shared,
            pty: false,
            runs_max: None,
        };
        let second = Program {
            name: "a".to_owned(),
            command: first.command.clone(),
            mode: Mode::Each,
            pty: true,
            runs_max: Some(3),
            ..first
        };
        assert_eq!((served.program.len(), &served.program[1]), (2, &second));
        check(&format!("{RIGHT}{RIGHT}{all}"), &[]);
        check("", &[]);
    }

    #[test]
    fn an_unknown_key_of_the_second_is_reported_with_the_nearest_of_its_own() {
        check(
            &format!("{RIGHT}{RIGHT}comand = [\"x\"]\nheartbeat = 1\nlisten = 2\n[program.extra]\n"),
            &[
                "t, line 9: program.comand is not a key; the nearest is program.command",
                "t, line 10: program.heartbeat is not a key",
                "t, line 11: program.listen is not a key",
                "t, line 12: program.extra is not a section",
            ],
        );
        check(
            "[[progam]]\nname = \"a\"\n[progam2]\n",
            &[
                "t, line 1: progam is not a section; the nearest is program",
                "t, line 3: progam2 is not a section; the nearest is program",
            ],
        );
    }

    #[test]
    fn all_mistakes_in_all_sections_of_a_list_are_reported_at_once() {
        check(
            "[[program]]\nname = 5\ncommand = [\"a\", 7, true]\ntimeout = \"5\"\nmode = \"both\"\npty = 1\n\
             runs_max = 1000\n[[program]]\nnme = \"b\"\ncommand = \"x\"\ntimeout = \"2h\"\n",
            &[
                "t, line 2: program.name = 5: write a text in quotes",
                "t, line 3: item 2 of program.command = 7: write a text in quotes",
                "t, line 3: item 3 of program.command = true: write a text in quotes",
                "t, line 4: program.timeout = \"5\": write a time with its unit, like \"500ms\", \"15s\", \"24h\" or \
                 \"7d\"",
                "t, line 5: program.mode = \"both\": write one of \"shared\", \"each\"",
                "t, line 6: program.pty = 1: write true or false",
                "t, line 7: program.runs_max = 1000: write a whole number that fits",
                "t, line 8: program needs the key name",
                "t, line 9: program.nme is not a key; the nearest is program.name",
                "t, line 10: program.command = \"x\": write a list in [ ]",
                "t, line 11: program.timeout = \"2h\": the most is 1h",
            ],
        );
    }

    #[test]
    fn each_missing_key_is_reported_and_no_wrong_one_as_missing() {
        check(
            &format!("[[program]]\n[[program]]\nname = 1\n{RIGHT}[[program]]\nname = \"c\"\ncommand = []\n"),
            &[
                "t, line 1: program needs the key name",
                "t, line 1: program needs the key command",
                "t, line 1: program needs the key timeout",
                "t, line 2: program needs the key command",
                "t, line 2: program needs the key timeout",
                "t, line 3: program.name = 1: write a text in quotes",
                "t, line 8: program needs the key timeout",
            ],
        );
    }

    #[test]
    fn a_type_that_accepts_no_blank_hides_only_the_rest_of_its_own_section() {
        check_as::<Named>(
            "[[program]]\n[[program]]\nname = \"\"\n[[program]]\nname = \"a\"\n[[program]]\ncommand = []\nx = 1\n",
            &[
                "t, line 1: program needs the key name",
                "t, line 3: program.name = \"\": a name is not empty",
                "t, line 4: program needs the key command",
                "t, line 6: program needs the key name",
                "t, line 8: program.x is not a key",
            ],
        );
    }

    #[test]
    fn too_many_mistakes_end_with_the_note_that_there_are_more() {
        let found = mistakes::<Served>(&Node::root(), parsed(&"[[program]]\n".repeat(ROUNDS_MAX)));
        assert!((1..=ROUNDS_MAX).contains(&found.len()), "{}", found.len());
        let last = found.last().unwrap().to_string();
        assert_eq!(last, "configuration: there are more mistakes; mend these first");
    }

    #[test]
    fn a_value_in_place_of_a_list_of_sections_is_answered_with_how_to_write_one() {
        let how = "program is a list of sections: write [[program]] and the keys of one below it";
        check("[program]\nname = \"a\"\n", &[&format!("t, line 1: {how}")]);
        check("program = [1]\n", &[&format!("t, line 1: {how}")]);
        check("program = 1\n", &["t, line 1: program = 1: write a list in [ ]"]);
    }
}
