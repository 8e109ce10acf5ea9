//! The list of all cases, and the macro that turns them into tests.

/// Turns each case of the suite into a test of the engine that `$make` makes; see
/// [`conformance`](crate::conformance).
#[macro_export]
#[doc(hidden)]
macro_rules! mount_conformance {
    ($make:path) => {
        $crate::mount_conformance! { $make;
            appends {
                positions_count_up_over_all_streams
                times_never_go_back
                an_append_that_closes_is_answered_with_its_last_event
                closing_a_missing_stream_makes_it_closed
                a_closed_stream_accepts_nothing_more
                concurrent_publishers_do_not_mix
                a_dropped_append_is_whole_or_nothing
                appending_nothing_makes_nothing
                no_more_streams_are_made_than_the_limit
                a_publish_larger_than_its_stream_is_refused
                a_publish_larger_than_the_log_is_refused
            }
            blocks {
                a_block_is_appended_once_over_two_requests
                a_newer_claim_supersedes
                another_body_under_the_claim_is_refused
                a_block_beyond_the_next_is_refused
                a_repeated_close_of_blocks_gets_the_same_answer
                a_stream_closed_by_another_accepts_no_new_block
                a_key_has_one_kind_of_use
                a_forgotten_claim_appends_nothing
                a_long_publish_is_remembered_by_some_of_its_blocks
            }
            ends {
                an_end_is_heard_by_name_only
                a_deletion_is_heard_by_name_at_its_place
                a_closed_stream_can_be_deleted
                a_first_request_hears_no_end_of_a_gone_stream
                being_told_of_a_loss_brings_back_no_end_of_a_gone_stream
                an_end_ahead_is_heard_after_a_loss
                a_closed_stream_expires
                ended_streams_are_those_whose_last_record_was_their_end
            }
            keys {
                a_repeat_gets_the_first_answer
                a_repeated_close_gets_the_first_answer
                another_body_under_the_key_is_refused
                a_key_belongs_to_one_stream
                a_refused_publish_does_not_use_up_its_key
                a_key_expires
                the_oldest_keys_are_forgotten_at_the_limit
                without_a_key_nothing_is_a_repeat
            }
            listening {
                the_listener_is_called_for_each_new_record
                the_listener_is_not_called_for_a_repeat
                the_last_listener_is_called
            }
            locating {
                from_the_start_all_that_is_kept_follows
                from_now_no_existing_event_follows
                from_the_last_events_exactly_these_follow
                from_a_time_events_of_that_time_and_later_follow
                an_empty_log_has_a_beginning_too
            }
            losses {
                a_trim_is_told_to_readers_before_it
                a_loss_is_told_once_over_reconnects
                beyond_the_horizon_marks_make_no_difference
                a_deletion_is_told_as_a_loss_to_patterns
                a_loss_outlives_an_empty_life
                a_loss_names_a_bounded_number_of_streams
                a_forgotten_end_is_told_as_a_loss
            }
            names {
                a_publisher_may_not_use_the_name_of_a_control_event
                a_publisher_that_closes_may_say_that_it_failed
                a_source_may_use_any_name
                a_stream_shares_the_names_as_its_setting_says
                a_missing_stream_has_the_default_setting
                a_repeat_is_recognised_before_its_names_are_checked
            }
            reads {
                a_read_stops_at_its_limits
                an_append_is_seen_whole
                reading_a_missing_stream_makes_nothing
                a_place_beyond_the_tail_is_refused
                an_event_selected_twice_comes_once
                many_streams_are_read_in_log_order
                the_policy_for_slow_readers_is_the_current_one
            }
            retention {
                the_newest_events_are_kept
                a_stream_keeps_no_more_bytes_than_its_limit
                events_past_their_age_are_dropped
                a_leap_of_the_clock_ages_nothing
                a_sweep_keeps_to_its_budget
                new_settings_apply_at_once
                a_full_log_drops_its_oldest_events
                a_quiet_stream_gives_way_to_a_busy_one
            }
            seeds {
                any_script_gets_the_answers_of_the_model
                a_small_log_tells_all_that_it_loses
            }
            streams {
                a_put_makes_a_stream
                a_put_changes_only_what_it_names
                a_stream_made_again_has_the_default_settings
                a_state_says_what_is_kept
                streams_are_listed_by_name
            }
        }
    };
    ($make:path; $($module:ident { $($case:ident)+ })+) => {$(
        mod $module {
            use super::*;

            $(
                #[test]
                fn $case() {
                    $crate::conformance::$module::$case($make);
                }
            )+
        }
    )+};
}
