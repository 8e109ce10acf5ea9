//! The names of a simulated disk's files. A change of a name happens or does not: there is no half of it.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::layers::Change;
use super::state::FileId;

/// Which file has which name.
pub(super) type Names = BTreeMap<String, FileId>;

/// One change of the names. It holds the file, so that it can be made after one before it was lost.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    /// A file was made.
    Create { name: String, file: FileId },
    /// A file got another name, and whatever had that lost it.
    Rename { from: String, to: String, file: FileId },
    /// A file lost its name.
    Remove { name: String },
}

impl Change for NameChange {
    type On = Names;

    fn make(&self, on: &mut Names) {
        match self {
            Self::Create { name, file } => {
                on.insert(name.clone(), file.clone());
            }
            Self::Rename { from, to, file } => {
                on.remove(from);
                on.insert(to.clone(), file.clone());
            }
            Self::Remove { name } => {
                on.remove(name);
            }
        }
    }

    fn make_partly(&self, on: &mut Names, rng: &mut Rng) {
        if rng.bool() {
            self.make(on);
        }
    }
}
