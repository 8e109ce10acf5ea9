//! Where a first request begins when it does not say where: as the settings of its streams say.
//!
//! A reader has one position for all of its streams, so the earliest of their beginnings is that of the request: no
//! stream begins later than its own setting says, and some begin earlier. A stream that does not exist yet has the
//! default, and so has every pattern, whichever streams it matches: that needs no look at all of them, and does not
//! change when one more is made.
//!
//! Invariant: the place is at or before the tail of the first look, and each later look only moves it back. So what
//! is appended in between is read. Does not know requests that say where they begin.

use largesse_log::{
    Engine, EngineError, EngineExt, FromSetting, Located, Place, Position, Repeat, Selection, Selector,
    StartFrom, StreamName,
};

/// Finds the place.
pub(crate) async fn locate(engine: &dyn Engine, selection: &Selection) -> Result<Located, EngineError> {
    let now = engine.locate(selection, StartFrom::Now).await?.place;
    let defaults = engine.defaults().from;
    let mut earliest = now.position();
    for name in selection.names() {
        match beginning_of(engine, name, defaults).await? {
            Beginning::Start => return engine.locate(selection, StartFrom::Start).await,
            Beginning::After(position) => earliest = earliest.min(position),
            Beginning::Now => {}
        }
    }
    if let Some(patterns) = patterns_of(selection) {
        let located = engine.locate(&patterns, defaults.into()).await?;
        if located.repeat == Repeat::SamePlace {
            return engine.locate(selection, StartFrom::Start).await;
        }
        earliest = earliest.min(located.place.position());
    }
    let place = Place::knowing(earliest, now.told_upto());
    Ok(Located { place, repeat: Repeat::AnotherPlace })
}

/// Where a stream begins by its own setting.
enum Beginning {
    Start,
    After(Position),
    Now,
}

async fn beginning_of(
    engine: &dyn Engine,
    name: &StreamName,
    defaults: FromSetting,
) -> Result<Beginning, EngineError> {
    let state = engine.state(name).await?;
    let from = state.as_ref().map_or(defaults, |state| state.settings.from);
    let first = state.and_then(|state| state.first);
    Ok(match (from, first) {
        (FromSetting::Start, _) => Beginning::Start,
        // Where there is no event, there is none to count back to.
        (FromSetting::Now, _) | (FromSetting::Last(_), None) => Beginning::Now,
        (FromSetting::Last(_), Some(first)) => {
            let located = engine.locate(&Selection::one(name.clone()), from.into()).await?;
            // Where there are fewer than that, it is the log's beginning, before which others may have events.
            Beginning::After(located.place.position().max(Position(first.0.saturating_sub(1))))
        }
    })
}

/// Only the patterns of a selection, if it has any.
fn patterns_of(selection: &Selection) -> Option<Selection> {
    let patterns = selection.patterns().iter().cloned().map(Selector::Pattern);
    // Together with the names they were within the limit.
    Selection::many(patterns.collect()).ok()
}
