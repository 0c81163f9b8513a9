//! The rules of the house, as code: which crate may depend on which, and what every file must have.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Direct dependencies among our crates, as STYLE has them. Only `stores` and the tests name an adapter.
const EDGES: [(&str, &[&str]); 13] = [
    ("parlance-domain", &[]),
    ("parlance-projections", &["parlance-domain"]),
    ("parlance-store", &["parlance-domain", "parlance-projections"]),
    ("parlance-store-sqlite", &["parlance-domain", "parlance-projections", "parlance-store"]),
    (
        "parlance-store-postgres",
        &["parlance-domain", "parlance-projections", "parlance-store", "parlance-private-postgres"],
    ),
    ("parlance-private-postgres", &[]),
    (
        "parlance-stores",
        &[
            "parlance-domain",
            "parlance-projections",
            "parlance-store",
            "parlance-store-postgres",
            "parlance-store-sqlite",
        ],
    ),
    ("parlance-app", &["parlance-domain", "parlance-projections", "parlance-store"]),
    ("parlance-providers", &["parlance-app", "parlance-domain"]),
    ("parlance-graphql", &["parlance-app", "parlance-domain"]),
    ("parlance-simulator", &[]),
    (
        "parlance-server",
        &[
            "parlance-app",
            "parlance-domain",
            "parlance-graphql",
            "parlance-private-postgres",
            "parlance-projections",
            "parlance-providers",
            "parlance-simulator",
            "parlance-store",
            "parlance-stores",
        ],
    ),
    (
        "parlance-tests",
        &[
            "parlance-app",
            "parlance-domain",
            "parlance-private-postgres",
            "parlance-projections",
            "parlance-server",
            "parlance-simulator",
            "parlance-store",
            "parlance-store-sqlite",
            "parlance-stores",
        ],
    ),
];

/// What the pure crates must not be able to do anything with.
const IMPURE: [&str; 6] = ["tokio", "rusqlite", "rand", "reqwest", "axum", "tracing"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in the workspace").to_owned()
}

#[test]
fn crates_depend_on_each_other_only_as_allowed() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let allowed: BTreeMap<_, BTreeSet<_>> =
        EDGES.iter().map(|(name, edges)| (*name, edges.iter().copied().collect())).collect();
    let mut seen = BTreeSet::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("{name} has no line in EDGES"));
        seen.insert(name);
        for dependency in &package.dependencies {
            let on = dependency.name.as_str();
            if on.starts_with("parlance-") {
                assert!(allowed.contains(on), "{name} must not depend on {on}");
            }
            let pure = ["parlance-domain", "parlance-projections"].contains(&name);
            let runs = dependency.kind == DependencyKind::Normal;
            assert!(!(pure && runs && IMPURE.contains(&on)), "{name} is pure and must not depend on {on}");
        }
    }
    assert_eq!(seen, allowed.keys().copied().collect(), "EDGES names crates that are gone");
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in
        std::fs::read_dir(folder).expect("a folder of ours").map(|entry| entry.expect("an entry").path())
    {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if entry.is_dir() && name != "target" {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

#[test]
fn every_file_says_what_lives_in_it() {
    let mut files = Vec::new();
    for folder in ["crates", "tests", "bench"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50, "the sources were found");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source is text");
        assert!(text.starts_with("//!"), "{} does not open with //!", file.display());
        assert!(text.lines().count() <= 500, "{} is over 500 lines: split it by noun", file.display());
    }
}

#[test]
fn every_migration_opens_with_its_reason_and_has_its_own_number() {
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("migrations/sqlite")).expect("the migrations") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let number =
            name.strip_prefix('V').and_then(|rest| rest.split_once("__")).expect("V<number>__<name>.sql").0;
        assert!(numbers.insert(number.parse::<u32>().expect("a number")), "{name}: the number is taken");
        let text = std::fs::read_to_string(&path).expect("a migration is text");
        assert!(text.starts_with("-- "), "{name} does not open with its reason");
    }
    assert_eq!(numbers, (1..=u32::try_from(numbers.len()).expect("few")).collect());
}
