//! Where a request begins to read: the first look at the log, for readers and for pages alike.
//!
//! Invariant: a first request is told no loss; a request that presents an id of this log reads on from there.
//! Does not read events.

use std::collections::BTreeMap;

use largesse_log::{
    EndReason, Engine, EngineError, EngineExt, Place, Position, Repeat, Selection, StartFrom, StreamName,
};

use crate::{
    Presented, beginning,
    control::{ResetNotice, ResetReason},
    presented::Meaning,
};

/// Where a request begins, and what it has to be told first.
#[derive(Clone, Debug)]
pub struct Start {
    /// The place to read from.
    pub place: Place,
    /// Whether the reader has been given a place, so that losses after it must be told.
    pub standing: Standing,
    /// The presented id could not be used.
    pub reset: Option<ResetNotice>,
    /// Whether the same request, repeated, would find the same place.
    pub repeat: Repeat,
    /// Named streams that have ended at the place.
    pub ended: BTreeMap<StreamName, EndReason>,
    /// The tail when the request came: everything after it came while the reader was there.
    pub tail: Position,
    /// The presented id, shortened, for a later notice; empty for a first request.
    pub requested: String,
}

/// Whether a reader holds a place of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has no id yet: what is gone by now was never its own.
    Fresh,
    /// It has one: everything after it is delivered, or told as lost.
    Placed,
}

/// What a request finds: a start, or that the reader was told the end already.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Start(Box<Start>),
    /// The presented id is the end id of exactly this selection; this is its place.
    Ended,
}

pub(crate) async fn find(
    engine: &dyn Engine,
    selection: &Selection,
    presented: Option<&Presented>,
    from: Option<StartFrom>,
) -> Result<Found, EngineError> {
    let Some(presented) = presented else {
        return Ok(Found::Start(Box::new(first(engine, selection, from).await?)));
    };
    let tail = engine.tail();
    let reason = match presented.meaning(engine.incarnation(), selection) {
        Meaning::Ended => return Ok(Found::Ended),
        Meaning::Resume(place) if place.told_upto() <= tail => {
            let resumed = resume(engine, selection, place).await?;
            return Ok(Found::Start(Box::new(Start {
                tail,
                requested: presented.text().to_owned(),
                ..resumed
            })));
        }
        Meaning::Resume(..) => ResetReason::UnknownId,
        Meaning::Unusable(reason) => reason,
    };
    let requested = presented.text().to_owned();
    let reset = ResetNotice { reason, streams: Vec::new(), requested: requested.clone() };
    let start = first(engine, selection, from).await?;
    Ok(Found::Start(Box::new(Start { reset: Some(reset), requested, ..start })))
}

async fn first(
    engine: &dyn Engine,
    selection: &Selection,
    from: Option<StartFrom>,
) -> Result<Start, EngineError> {
    let located = match from {
        Some(from) => engine.locate(selection, from).await?,
        None => beginning::locate(engine, selection).await?,
    };
    let ended = ended(engine, selection, located.place).await?;
    Ok(Start {
        place: located.place,
        standing: Standing::Fresh,
        reset: None,
        repeat: located.repeat,
        ended,
        tail: located.place.told_upto(),
        requested: String::new(),
    })
}

async fn resume(engine: &dyn Engine, selection: &Selection, place: Place) -> Result<Start, EngineError> {
    let ended = ended(engine, selection, place).await?;
    Ok(Start {
        place,
        standing: Standing::Placed,
        reset: None,
        repeat: Repeat::SamePlace,
        ended,
        tail: place.told_upto(),
        requested: String::new(),
    })
}

/// A stream that was gone before the reader first asked is new to it, and has not ended: the place says so.
async fn ended(
    engine: &dyn Engine,
    selection: &Selection,
    place: Place,
) -> Result<BTreeMap<StreamName, EndReason>, EngineError> {
    let found = engine.ended_at(selection, place).await?;
    Ok(found.ended.into_iter().map(|ended| (ended.name, ended.reason)).collect())
}
