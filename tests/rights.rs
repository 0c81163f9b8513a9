//! Who may do what, for every operation of the API and every kind of asker, against expectations that are written
//! by hand in `rights/expected.txt`: the specification's table, and not what the code makes of it.

mod attempts;
mod company;

use std::collections::{BTreeMap, BTreeSet};

use self::company::{Company, KINDS};

const EXPECTED: &str = include_str!("rights/expected.txt");
const SCHEMA: &str = include_str!("../schema.graphql");

/// The expectations: for each operation one for each kind of asker.
fn expected() -> BTreeMap<&'static str, Vec<&'static str>> {
    let lines = EXPECTED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut all = BTreeMap::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let operation = words.next().expect("a line has words");
        let row: Vec<_> = words.collect();
        assert_eq!(row.len(), KINDS.len(), "{line}");
        assert!(all.insert(operation, row).is_none(), "{operation} stands twice");
    }
    all
}

/// The operations of the schema: the fields of its three root types.
fn operations() -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let (mut inside, mut described) = (false, false);
    for line in SCHEMA.lines() {
        if line.trim() == "\"\"\"" {
            described = !described;
        }
        if described {
            continue;
        }
        match line {
            "type Query {" | "type Mutation {" | "type Subscription {" => inside = true,
            "}" => inside = false,
            _ => {}
        }
        // Fields are indented once, their arguments twice.
        let field = line.strip_prefix('\t').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        if let Some(field) = field.filter(|_| inside)
            && field.contains([':', '('])
        {
            found.insert(field.split(['(', ':']).next().unwrap_or_default());
        }
    }
    found
}

#[test]
fn every_operation_of_the_schema_has_its_expectations_and_no_other_has() {
    let expected: BTreeSet<_> = expected().into_keys().collect();
    let operations = operations();
    assert!(operations.contains("conversations") && operations.contains("deleteConversation"));
    assert_eq!(expected, operations);
}

#[tokio::test]
async fn everybody_may_do_what_the_specification_says_and_nothing_else() {
    let company = Company::open().await;
    let mut wrong = Vec::new();
    for (operation, row) in expected() {
        for (kind, expected) in KINDS.into_iter().zip(row) {
            let found = attempts::attempt(&company, operation, kind).await;
            let fits = match expected {
                // It is about the asker, whatever it shows.
                "own" => ["yes", "none"].contains(&found.as_str()),
                expected => found == expected,
            };
            if !fits {
                wrong.push(format!("{operation} by {kind}: {expected} expected, {found} found"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
