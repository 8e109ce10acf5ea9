//! Keys as flags of the command line, generated from `sections.rs`.
//!
//! Does not check values, so that a wrong one is reported together with all other mistakes.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};

use super::{
    key::{Flag, Key},
    origin::Origin,
    sections::keys,
    tree::{Node, Value},
};

/// The keys that the command line gives.
#[derive(Clone, Debug)]
pub(crate) struct KeyFlags(Node);

impl Default for KeyFlags {
    /// Nothing.
    fn default() -> Self {
        Self(Node::root())
    }
}

impl KeyFlags {
    /// Their values.
    pub(super) fn values(&self) -> Node {
        self.0.clone()
    }
}

fn flags() -> impl Iterator<Item = (&'static Key, &'static Flag)> {
    keys().flat_map(|key| key.flags.iter().map(move |flag| (key, flag)))
}

impl Args for KeyFlags {
    fn augment_args(command: Command) -> Command {
        flags().fold(command, |command, (key, flag)| {
            let action = if key.takes_a_list() { ArgAction::Append } else { ArgAction::Set };
            let arg = Arg::new(key.path).long(flag.name).value_name(flag.value).action(action);
            let arg = arg.help(format!("{} [key {}, default {}]", key.help(), key.path, key.default));
            command.arg(arg.aliases(flag.aliases))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KeyFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut values = Node::root();
        for (key, flag) in flags() {
            if matches.value_source(key.path) == Some(ValueSource::CommandLine) {
                let texts = matches.get_many::<String>(key.path).unwrap_or_default().cloned();
                let origin = Origin::Flag { name: flag.name };
                let node = if key.takes_a_list() {
                    Node::texts(texts, &origin)
                } else {
                    Node::new(Value::Text(texts.collect()), origin)
                };
                values.put(key.path, node);
            }
        }
        Ok(Self(values))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
