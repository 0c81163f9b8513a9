//! The binary as an operator uses it: in a folder of its own, by its output and exit codes.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

fn parlance(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARLANCE_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder).output().expect("the binary runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

const CREATE: [&str; 10] = [
    "account",
    "create",
    "--name",
    "Példa Kft.",
    "--language",
    "hu",
    "--admin-email=admin@example.hu",
    "--admin-name=Ádám",
    "--time-zone=Europe/Budapest",
    "--json",
];

fn with_account() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let created = parlance(folder.path(), &CREATE);
    assert_eq!(code(&created), 0, "{}", err(&created));
    let created: Value = serde_json::from_str(&out(&created)).expect("JSON");
    let account = created["account"].as_str().expect("an id").to_owned();
    (folder, account)
}

#[test]
fn an_absent_data_folder_is_made_migrated_and_keyed() {
    let (folder, account) = with_account();
    assert!(account.starts_with("acct_"));
    let data = folder.path().join("data");
    for file in ["parlance.db", "master.key", "erasures.log"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(data.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let migrated = parlance(folder.path(), &["migrate"]);
    assert_eq!((code(&migrated), out(&migrated).as_str()), (0, "data/parlance.db is up to date\n"));
}

#[test]
fn status_tells_where_every_projection_stands() {
    let (folder, account) = with_account();
    let status = parlance(folder.path(), &["projections", "status", "--json"]);
    assert_eq!(code(&status), 0, "{}", err(&status));
    let status: Value = serde_json::from_str(&out(&status)).unwrap();
    assert_eq!((status["account"].as_str(), status["head"].as_u64()), (Some(account.as_str()), Some(4)));
    let names: Vec<_> = status["projections"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["inbox", "thread", "channels", "members", "connections", "deliveries"]);
    let behind = |p: &Value| p["behind"].as_u64();
    assert!(status["projections"].as_array().unwrap().iter().all(|p| behind(p) == Some(0)));
    assert_eq!(status["parked"], serde_json::json!([]));
}

#[test]
fn verify_exits_with_one_and_names_what_differs() {
    let (folder, account) = with_account();
    let verify = || parlance(folder.path(), &["projections", "verify", "--account", &account]);
    let clean = verify();
    assert_eq!((code(&clean), out(&clean).as_str()), (0, "1 accounts verified, 0 differences\n"));
    let database = rusqlite::Connection::open(folder.path().join("data/parlance.db")).unwrap();
    database.execute("UPDATE members SET available = 0", []).unwrap();
    database.execute("UPDATE checkpoints SET position = 3 WHERE projection = 'thread'", []).unwrap();
    drop(database);
    let found = verify();
    assert_eq!(code(&found), 1);
    assert!(out(&found).contains("members: members("), "{}", out(&found));
    assert!(out(&found).contains("differs in available"), "{}", out(&found));
    assert!(
        out(&found).contains("thread: the checkpoint says position 3 and 4 events taken"),
        "{}",
        out(&found)
    );
}

#[test]
fn without_its_master_key_or_with_another_it_refuses_to_start() {
    let (folder, _) = with_account();
    let key = folder.path().join("data/master.key");
    let digits = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "0".repeat(64)).unwrap();
    let wrong = parlance(folder.path(), &["projections", "status"]);
    assert_eq!(code(&wrong), 2);
    assert!(err(&wrong).contains("not the one this store was made with"), "{}", err(&wrong));
    std::fs::remove_file(&key).unwrap();
    let missing = parlance(folder.path(), &["projections", "status"]);
    assert_eq!(code(&missing), 2);
    assert!(err(&missing).contains("is missing"), "{}", err(&missing));
    assert!(!key.exists(), "a new key is never made over an existing store");
    assert!(!err(&missing).contains(digits.trim()), "no secret is printed");
}

#[test]
fn settings_that_are_no_settings_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), "data_dri = 'x'").unwrap();
    let file = parlance(folder.path(), &["--config", "p.toml", "migrate"]);
    assert_eq!(code(&file), 2);
    assert!(err(&file).contains("data_dri"), "{}", err(&file));
    let mut variable = Command::new(env!("CARGO_BIN_EXE_parlance"));
    let variable =
        variable.arg("migrate").env("PARLANCE_DATADIR", "x").current_dir(folder.path()).output().unwrap();
    assert_eq!(code(&variable), 2);
    assert!(err(&variable).contains("PARLANCE_DATADIR is no setting"), "{}", err(&variable));
    let url = parlance(folder.path(), &["--database-url", "mysql://x", "migrate"]);
    assert_eq!(code(&url), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
}

#[test]
fn a_settings_file_is_used_and_a_flag_wins_over_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), "data_dir = 'from-file'").unwrap();
    assert_eq!(code(&parlance(folder.path(), &["--config", "p.toml", "migrate"])), 0);
    assert!(folder.path().join("from-file/parlance.db").exists());
    assert_eq!(
        code(&parlance(folder.path(), &["--config", "p.toml", "--data-dir", "by-flag", "migrate"])),
        0
    );
    assert!(folder.path().join("by-flag/parlance.db").exists());
}

#[test]
fn nonsense_is_refused_with_what_is_wrong() {
    let (folder, _) = with_account();
    let refused = |arguments: &[&str], what: &str| {
        let output = parlance(folder.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(err(&output).contains(what), "{arguments:?}: {}", err(&output));
    };
    let create = ["account", "create", "--admin-email=a@b", "--admin-name=A"];
    refused(&[create.as_slice(), &["--name= "]].concat(), "--name: is empty");
    refused(&[create.as_slice(), &["--name=A", "--time-zone=Mars/Base"]].concat(), "IANA");
    refused(
        &["account", "create", "--name=A", "--admin-email=ab", "--admin-name=A"],
        "not an e-mail address",
    );
    refused(&["projections", "verify", "--account", "memb_1"], "acct_");
    let nobody = format!("acct_{}", "0".repeat(32));
    refused(&["projections", "status", "--account", &nobody], "there is no account");
    refused(&["--log", "=:=", "migrate"], "the log filter");
}
