//! Keys as flags of the command line, made from the table of keys.
//!
//! Does not check values, so that a wrong one is told together with all other mistakes.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};

use super::{Given, keys::KEYS, origin::Origin, raw::Raw};

/// What the command line says about keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyFlags(Vec<Given>);

impl KeyFlags {
    /// The values it gives.
    pub(super) fn given(&self) -> impl Iterator<Item = Given> {
        self.0.iter().cloned()
    }
}

impl Args for KeyFlags {
    fn augment_args(command: Command) -> Command {
        KEYS.iter().filter_map(|key| key.flag.map(|flag| (key, flag))).fold(
            command,
            |command, (key, flag)| {
                let action = if key.slot.takes_a_list() { ArgAction::Append } else { ArgAction::Set };
                let arg = Arg::new(key.path).long(flag.name).value_name(flag.value).action(action);
                let arg = flag.alias.map_or(arg.clone(), |alias| arg.alias(alias));
                command.arg(arg.help(format!("{} [key {}, default {}]", key.means, key.path, key.default)))
            },
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KeyFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for (key, flag) in KEYS.iter().filter_map(|key| key.flag.map(|flag| (key, flag))) {
            if matches.value_source(key.path) == Some(ValueSource::CommandLine) {
                let texts: Vec<String> =
                    matches.get_many::<String>(key.path).unwrap_or_default().cloned().collect();
                let raw = if key.slot.takes_a_list() { Raw::List(texts) } else { Raw::Text(texts.concat()) };
                given.push(Given { key, raw, origin: Origin::Flag { name: flag.name } });
            }
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
