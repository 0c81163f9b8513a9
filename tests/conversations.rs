//! Conversations under many hands at once.

use parlance_app::command::Receipt;
use parlance_domain::conversation::ConversationCommand;
use parlance_projections::inbox::{CONVERSATIONS, InboxRow};
use parlance_store::{FIRST_GENERATION, ReadModels as _};
use parlance_tests::{Team, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_a_row_of_the_inbox() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let receipt = team.receive("Kovács Éva", "mid.1", "Jó napot!").await.unwrap();
    assert!(matches!(receipt, Receipt::Recorded { .. }));
    app.visible(team.account, receipt.position()).await;
    let rows =
        app.parlance.store.scan_rows(team.account, FIRST_GENERATION, &CONVERSATIONS, None, 10).await.unwrap();
    let row = InboxRow::from_row(&rows[0]).unwrap();
    assert_eq!((rows.len(), row.conversation, row.messages), (1, team.conversation("Kovács Éva"), 1));
    let again = team.receive("Kovács Éva", "mid.1", "Jó napot!").await.unwrap();
    assert!(matches!(again, Receipt::Duplicate { .. }), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_does_not_rest_on_what_another_server_has_changed_since() {
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 2).await;
    let elsewhere = Team::of(&other, team.account, team.admin, false).await;
    team.receive("Kovács Éva", "mid.1", "Jó napot!").await.unwrap();
    team.act(team.admin, "Kovács Éva", ConversationCommand::Delete).await.unwrap();
    let again = elsewhere.receive("Kovács Éva", "mid.2", "Itt vagyok újra.").await.unwrap();
    // Here the conversation is still known as deleted.
    let seen = team.seen(team.admin, "Kovács Éva", again.position()).await;
    assert!(matches!(seen, Ok(Receipt::Recorded { .. })), "{seen:?}");
}
