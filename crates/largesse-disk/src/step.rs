//! What callers ask of the writer, and who waits for the answer.
//!
//! Invariant: an ask is answered once, or its caller hears that the engine stops. Does not know frames.

use largesse_log::{
    Append, AppendError, Appended, Claim, Deleted, EngineError, IdempotencyKey, Now, Position, Put,
    PutAnswer, StreamName, Sweep,
};
use tokio::sync::oneshot;

use crate::frame::EncodedEvents;

/// Who waits for an answer.
pub(crate) type Tell<T> = oneshot::Sender<T>;

/// One step that a caller asks for.
pub(crate) struct Ask {
    /// The caller's time.
    pub(crate) now: Now,
    pub(crate) what: What,
}

/// Steps that wait. Each is boxed: it is large, and handed on several times.
pub(crate) type Asks = Vec<Box<Ask>>;

pub(crate) enum What {
    Append {
        append: Append,
        encoded: EncodedEvents,
        tell: Tell<Result<Appended, AppendError>>,
    },
    Claim {
        stream: StreamName,
        key: IdempotencyKey,
        tell: Tell<Result<Claim, AppendError>>,
    },
    Put {
        stream: StreamName,
        put: Put,
        tell: Tell<Result<PutAnswer, AppendError>>,
    },
    Delete {
        stream: StreamName,
        tell: Tell<Result<Option<Deleted>, EngineError>>,
    },
    /// The writer finds the streams.
    Sweep {
        steps: u32,
        streams: Vec<StreamName>,
        tell: Tell<Result<Sweep, EngineError>>,
    },
    Damage {
        stream: StreamName,
        position: Position,
        tell: Tell<Result<(), EngineError>>,
    },
}

impl What {
    /// Answers that it did not happen, or that nobody knows.
    pub(crate) fn refuse(self, error: EngineError) {
        // Nobody may wait for it any more.
        match self {
            Self::Append { tell, .. } => _ = tell.send(Err(error.into())),
            Self::Claim { tell, .. } => _ = tell.send(Err(error.into())),
            Self::Put { tell, .. } => _ = tell.send(Err(error.into())),
            Self::Delete { tell, .. } => _ = tell.send(Err(error)),
            Self::Sweep { tell, .. } => _ = tell.send(Err(error)),
            Self::Damage { tell, .. } => _ = tell.send(Err(error)),
        }
    }
}
