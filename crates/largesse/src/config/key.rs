//! What the configuration knows about a key besides its type, and the macro that writes both from one field.
//!
//! Does not know any key: `sections.rs` has them.

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// Section and name, with a dot between.
    pub(crate) path: &'static str,
    /// The value when nobody gives one, as TOML.
    pub(crate) default: &'static str,
    /// The command line's flag for it, at most one.
    pub(crate) flags: &'static [Flag],
    /// The first line of the field's documentation, as it is written.
    pub(crate) doc: &'static str,
}

/// A key's flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Its long name, without dashes.
    pub(crate) name: &'static str,
    /// What the help calls its value.
    pub(crate) value: &'static str,
    /// Other names it may be called by.
    pub(crate) aliases: &'static [&'static str],
}

impl Key {
    /// What is before the dot; empty for a key without a section.
    pub(crate) fn section(&self) -> &'static str {
        self.path.split_once('.').map_or("", |(section, _)| section)
    }

    /// What is after the dot.
    pub(crate) fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }

    /// The environment variable for it.
    pub(crate) fn env(&self) -> String {
        format!("LARGESSE_{}", self.path.replace('.', "_").to_uppercase())
    }

    /// Whether several values may be given.
    pub(crate) fn takes_a_list(&self) -> bool {
        self.default.starts_with('[')
    }

    /// What it means, in half a sentence.
    pub(crate) fn help(&self) -> &'static str {
        self.doc.trim()
    }
}

/// A section of the file: a struct that serde reads, and `KEYS`, what is known about its fields. A field with a default is
/// a key; one without is a section, or a list of sections (`#[serde(default)]`), in plain serde.
///
/// ```text
/// /// Help, one line.
/// #[serde(with = "Kind")]
/// name: Type = "default as TOML", "flag" VALUE or "alias of the flag";
/// ```
macro_rules! section {
    (
        $(#[$attribute:meta])*
        $section:ident under $prefix:literal {
            $(
                #[doc = $help:literal]
                $(#[$field_attribute:meta])*
                $name:ident: $type:ty $(= $default:tt $(, $flag:literal $value:ident $(or $alias:literal)?)?)?;
            )+
        }
    ) => {
        #[derive(Clone, Debug, PartialEq, Eq, ::serde::Deserialize)]
        $(#[$attribute])*
        #[serde(deny_unknown_fields)]
        pub(crate) struct $section {
            $(#[doc = $help] $(#[$field_attribute])* pub(crate) $name: $type,)+
        }

        impl $section {
            pub(crate) const KEYS: &'static [$crate::config::key::Key] = &[$($(
                $crate::config::key::Key {
                    path: concat!($prefix, stringify!($name)),
                    default: stringify!($default),
                    flags: &[$($crate::config::key::Flag {
                        name: $flag,
                        value: stringify!($value),
                        aliases: &[$($alias)?],
                    })?],
                    doc: $help,
                },
            )?)+];
        }
    };
}

pub(crate) use section;
