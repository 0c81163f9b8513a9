//! Conversations under many hands at once.

use parlance_app::command::Receipt;
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
