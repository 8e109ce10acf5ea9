//! The arguments of one command, `key=value`.

use std::{collections::HashMap, path::PathBuf, str::FromStr};

use crate::BenchResult;

/// The arguments, by key.
pub(crate) struct Words(HashMap<String, String>);

impl Words {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> BenchResult<Self> {
        let pair = |word: String| {
            let (key, value) = word.split_once('=').ok_or(format!("`{word}` is not KEY=VALUE"))?;
            Ok((key.to_owned(), value.to_owned()))
        };
        words.map(pair).collect::<BenchResult<_>>().map(Self)
    }

    pub(crate) fn text(&self, key: &str) -> BenchResult<&str> {
        Ok(self.0.get(key).ok_or(format!("`{key}=…` is missing"))?)
    }

    /// A number of at least 1.
    pub(crate) fn number<T: FromStr + Default + PartialEq>(&self, key: &str) -> BenchResult<T> {
        let text = self.text(key)?;
        let number = text.parse().ok().filter(|number| *number != T::default());
        Ok(number.ok_or(format!("`{key}={text}` is not a number from 1 on"))?)
    }

    pub(crate) fn folder(&self) -> BenchResult<PathBuf> {
        self.text("folder").map(PathBuf::from)
    }
}
