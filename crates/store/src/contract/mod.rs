//! The suite that every adapter runs. An adapter calls [`contract_tests!`](crate::contract_tests) with
//! something that makes a store; what lives here is what holds for all of them, what only one has is in its own tests.
//!
//! Every case works in accounts of its own, so one store may serve all of them at once; those of the leases alone
//! need a store each. To add a case: a
//! public function in the file of its noun, and its line in [`contract_tests!`](crate::contract_tests).

use std::time::Duration;

pub mod accounts;
pub mod append;
pub mod bearers;
pub mod keys;
pub mod leases;
pub mod model;
pub mod order;
pub mod pages;
pub mod racing;
pub mod read_models;
pub mod reading;
pub mod refusals;
pub mod rows;
pub mod sign_ins;
pub mod snapshots;
pub mod tokens;
pub mod transfer;

mod given;

/// How long a case waits for what must come: long enough for the slowest machine, and never waited out.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// One test for each case. `$make` is called for each: an async closure or function without arguments, whose
/// answer is something to keep alive (a directory, say) and the store.
#[macro_export]
macro_rules! contract_tests {
    ($make:expr) => {
        $crate::contract_tests! { @cases $make;
            accounts::accounts_may_hold_the_same_streams_tokens_and_keys,
            accounts::accounts_are_listed_in_pages,
            accounts::heads_are_listed_beside_their_accounts,
            append::positions_are_gapless_from_one_in_batch_order,
            append::one_batch_interleaves_streams,
            append::streams_of_one_id_and_two_types_are_two_streams,
            append::one_stale_stream_rejects_everything_and_all_stale_ones_are_told,
            append::a_stale_batch_tells_its_known_tokens_too,
            append::a_guard_that_moved_rejects,
            append::a_batch_of_guards_alone_is_checked_and_writes_nothing,
            append::the_largest_batch_is_taken,
            append::an_append_wakes_who_waits_for_one,
            bearers::a_token_is_found_by_its_hash_in_its_account,
            bearers::a_member_s_tokens_of_a_kind_are_removed_together_and_once,
            bearers::a_member_has_a_bounded_number_of_tokens,
            bearers::a_token_is_exchanged_once_and_for_all,
            bearers::an_operator_s_token_is_found_by_its_hash,
            bearers::many_who_store_tokens_at_once_keep_the_bound,
            bearers::many_who_make_room_at_once_keep_the_bound,
            bearers::of_many_who_exchange_or_remove_a_token_one_is_told,
            keys::an_account_s_keys_are_made_once,
            keys::a_data_key_is_absent_then_wrapped_then_destroyed,
            keys::many_data_keys_are_answered_in_the_order_they_are_asked_for,
            keys::a_key_that_exists_is_not_made_again,
            keys::a_destroyed_key_is_pending_until_it_is_confirmed,
            keys::destroying_an_absent_key_is_no_erasure,
            keys::a_key_made_and_destroyed_in_one_batch_is_destroyed,
            keys::keys_of_a_batch_that_was_not_recorded_are_as_before,
            keys::the_key_check_is_set_once,
            leases::buckets_are_shared_by_those_who_are_alive,
            leases::what_has_ended_is_taken_under_a_higher_fence,
            leases::who_leaves_leaves_everything_at_once,
            leases::many_beats_at_once_give_every_bucket_one_holder,
            leases::nothing_is_written_under_an_old_fence,
            model::random_batches_do_what_a_naive_log_does,
            order::times_pass_as_they_are_while_they_rise,
            order::an_earlier_time_is_lifted,
            order::a_time_far_ahead_keeps_the_rest_behind_it,
            order::times_of_any_order_come_out_sorted,
            order::another_account_s_clock_is_its_own,
            pages::rows_of_every_table_are_found_by_many_keys,
            pages::rows_of_several_tables_are_found_by_the_beginnings_of_keys,
            pages::keys_that_make_no_question_are_refused,
            pages::a_section_page_is_its_buckets_in_the_order_of_places,
            pages::threads_are_read_in_pages_from_either_end,
            pages::removed_members_are_passed_over,
            pages::deliveries_are_read_newest_first,
            racing::one_stream_written_by_many_has_no_gap_and_no_double,
            racing::one_token_told_by_many_is_recorded_once,
            racing::a_reader_never_sees_a_position_before_the_one_before_it,
            racing::who_gives_up_takes_nothing_from_the_others,
            read_models::a_page_moves_the_checkpoint,
            read_models::a_page_from_another_checkpoint_is_a_conflict,
            read_models::pages_are_written_together_or_not_at_all,
            read_models::generations_have_rows_and_checkpoints_of_their_own,
            read_models::a_parked_stream_counts_up,
            read_models::a_generation_is_dropped_without_its_neighbours,
            read_models::a_policy_s_checkpoint_is_its_own,
            read_models::of_many_who_write_from_one_checkpoint_one_writes,
            reading::every_field_comes_back_as_written,
            reading::a_log_is_read_in_pages,
            reading::no_page_is_longer_than_the_longest,
            reading::a_page_of_large_events_is_shorter_and_nothing_is_passed_over,
            reading::what_a_command_caused_is_found,
            reading::what_was_touched_is_told_without_what_it_says,
            reading::an_unknown_account_has_an_empty_log,
            refusals::an_event_without_expectation_is_malformed,
            refusals::a_version_that_does_not_follow_is_malformed,
            refusals::too_large_an_event_is_refused_and_the_largest_is_not,
            refusals::too_many_events_are_refused,
            refusals::neighbours_of_a_refused_batch_are_recorded,
            rows::every_table_takes_its_rows,
            rows::absent_and_empty_values_are_two_things,
            rows::rows_are_loaded_by_key_and_by_its_beginning,
            rows::a_prefix_takes_its_rows_with_it,
            rows::counters_sum_and_go_when_they_are_zero,
            rows::rows_are_scanned_in_key_order,
            rows::who_holds_which_conversations_is_found,
            sign_ins::the_token_unused_longest_makes_room_for_a_new_one,
            sign_ins::a_use_is_written_down_and_never_taken_back,
            sign_ins::one_token_is_removed_by_its_id_by_its_member_once,
            sign_ins::all_tokens_but_one_are_removed,
            sign_ins::a_password_is_set_and_its_sessions_end_with_it,
            sign_ins::an_invitation_is_exchanged_together_with_the_password,
            sign_ins::what_a_removed_member_had_is_forgotten_and_nothing_newer,
            sign_ins::the_directory_tells_the_memberships_of_an_address,
            sign_ins::the_sign_in_key_is_the_first_that_came,
            sign_ins::of_many_who_change_a_password_one_takes_its_place,
            snapshots::a_load_begins_at_the_snapshot,
            snapshots::a_snapshot_of_another_shape_is_ignored,
            snapshots::a_newer_snapshot_takes_the_older_one_s_place,
            snapshots::a_rejected_batch_leaves_the_snapshot_as_it_was,
            snapshots::a_snapshot_that_was_made_with_other_times_is_not_kept,
            tokens::a_known_token_is_rejected_with_its_first_position,
            tokens::all_known_tokens_of_a_batch_are_told,
            tokens::a_token_twice_in_one_batch_is_refused,
            tokens::events_without_a_token_never_meet,
            transfer::events_are_copied_as_they_are,
            transfer::rows_are_copied_once,
            transfer::the_installation_s_rows_come_out_and_go_in,
        }
    };
    (@cases $make:expr; $($noun:ident::$case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            let (_kept, store) = ($make)().await;
            $crate::contract::$noun::$case(store).await;
        }
    )*};
}

#[cfg(test)]
mod tests {
    const LIST: &str = include_str!("mod.rs");
    const NOUNS: [(&str, &str); 17] = [
        ("accounts", include_str!("accounts.rs")),
        ("append", include_str!("append.rs")),
        ("bearers", include_str!("bearers.rs")),
        ("keys", include_str!("keys.rs")),
        ("leases", include_str!("leases.rs")),
        ("model", include_str!("model.rs")),
        ("order", include_str!("order.rs")),
        ("pages", include_str!("pages.rs")),
        ("racing", include_str!("racing.rs")),
        ("read_models", include_str!("read_models.rs")),
        ("reading", include_str!("reading.rs")),
        ("refusals", include_str!("refusals.rs")),
        ("rows", include_str!("rows.rs")),
        ("sign_ins", include_str!("sign_ins.rs")),
        ("snapshots", include_str!("snapshots.rs")),
        ("tokens", include_str!("tokens.rs")),
        ("transfer", include_str!("transfer.rs")),
    ];

    #[test]
    fn every_case_is_on_the_list() {
        for (noun, source) in NOUNS {
            for line in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let case = line.split('(').next().unwrap();
                assert!(LIST.contains(&format!("{noun}::{case},")), "{noun}::{case} is never run");
            }
        }
    }
}
