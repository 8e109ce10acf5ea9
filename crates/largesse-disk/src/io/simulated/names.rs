//! The names of a simulated disk's files. A change of a name happens entirely or not at all.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::layers::Change;
use super::state::FileId;

/// Which file has which name.
pub(super) type Names = BTreeMap<String, FileId>;

/// One change of the names. It has the file, so that it can be applied even if an earlier change was lost.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    /// A file was created.
    Create { name: String, file: FileId },
    /// A file was renamed, and replaced whatever had the new name.
    Rename { from: String, to: String, file: FileId },
    /// A name was removed.
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
