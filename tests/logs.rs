//! Log lines: no secret, no customer text, at any level.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use parlance_domain::{Actor, Command, conversation::ConversationCommand};
use parlance_tests::{Team, TestApp};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread writes").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_customers_write_is_in_no_log_line() {
    let captured = Captured::default();
    let writer = captured.clone();
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(lines);
    tracing::info!("the capture works");

    let mark = "árvíztűrő tükörfúrógép";
    let app = TestApp::start().await;
    let team = Team::create(&app).await;
    team.receive(mark, "mid.secret", mark).await.unwrap();
    // A failing deletion logs and answers an error: the list of erasures is a folder.
    std::fs::remove_file(app.path().join("erasures.log")).unwrap();
    std::fs::create_dir(app.path().join("erasures.log")).unwrap();
    let other = TestApp::over(app.parlance.store.clone(), app.path(), 9).await;
    let delete = Command::Conversation(team.conversation(mark), ConversationCommand::Delete);
    let refused = other.ask(team.account, Actor::Member(team.admin), delete).await.unwrap_err();
    // So does an event too large for the log.
    let large = team.receive(mark, "mid.large", &mark.repeat(100_000)).await.unwrap_err();

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the capture works") && log.contains("deletions are refused"), "{log}");
    for text in [log, refused.to_string(), large.to_string(), format!("{refused:?} {large:?}")] {
        for secret in [mark, "mid.secret", "mid.large", "secret", "admin@example.hu"] {
            assert!(!text.contains(secret), "{secret} stands in: {text}");
        }
    }
}
