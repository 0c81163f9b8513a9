//! Failed fields as the GraphQL specification has them (section "Handling Execution Errors"): a field that failed is
//! null; where null is not allowed, the nearest thing around it that may be null is. The library leaves the field out
//! of its object instead, and an object without any field it turns into null.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{
    Name, PathSegment, Request, Response, Value,
    indexmap::IndexMap,
    parser::{
        parse_query, parse_schema,
        types::{
            BaseType, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType,
            Selection, SelectionSet, Type, TypeKind, TypeSystemDefinition,
        },
    },
};

/// The types of all fields, by the types that have them.
#[derive(Debug)]
pub(crate) struct Types(HashMap<Name, HashMap<Name, Type>>);

/// What of a request has to be known when its answer is there.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    query: String,
    operation: Option<String>,
}

impl Asked {
    pub fn of(request: &Request) -> Self {
        Self { query: request.query.clone(), operation: request.operation_name.clone() }
    }
}

/// A selection set with the type that it selects from.
type Selected<'a> = (&'a Name, &'a SelectionSet);

impl Types {
    /// Of a schema's text.
    pub fn of(sdl: &str) -> Self {
        let document = parse_schema(sdl).expect("our own schema is one");
        let fields = document.definitions.into_iter().filter_map(|definition| {
            let TypeSystemDefinition::Type(definition) = definition else { return None };
            let fields = match definition.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => return None,
            };
            let typed = fields.into_iter().map(|field| (field.node.name.node, field.node.ty.node));
            Some((definition.node.name.node, typed.collect()))
        });
        Self(fields.collect())
    }

    /// Puts null where something failed. An answer without errors of execution costs nothing.
    pub fn complete(&self, response: &mut Response, asked: &Asked) {
        if response.errors.iter().all(|error| error.path.is_empty()) {
            return;
        }
        let Ok(document) = parse_query(&asked.query) else { return };
        let Some(operation) = chosen(&document, asked.operation.as_deref()) else { return };
        let root = Name::new(match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        });
        let failed: BTreeSet<Vec<Step>> = response
            .errors
            .iter()
            .filter(|error| !error.path.is_empty())
            .filter_map(|error| self.nulled(&document, (&root, &operation.selection_set.node), &error.path))
            .collect();
        for place in &failed {
            // What is inside of something that is null is not there.
            let outer = (0..place.len()).any(|length| failed.contains(&place[..length]));
            if !outer {
                put_null(&mut response.data, place);
            }
        }
    }

    /// The place that is null because the one at `path` failed; `None`: it is of the schema itself.
    fn nulled(
        &self,
        document: &ExecutableDocument,
        root: Selected<'_>,
        path: &[PathSegment],
    ) -> Option<Vec<Step>> {
        let mut selected = vec![root];
        let mut here: Option<&Type> = None;
        let mut nullable_until = 0;
        for (at, segment) in path.iter().enumerate() {
            let next = match segment {
                PathSegment::Field(key) => {
                    let mut found = Vec::new();
                    for (parent, set) in &selected {
                        fields(document, parent, set, key, &mut found);
                    }
                    let (parent, field) = found.first()?;
                    let next = self.0.get(*parent)?.get(&field.name.node)?;
                    let inner = named(next);
                    selected = found.iter().map(|(_, field)| (inner, &field.selection_set.node)).collect();
                    next
                }
                PathSegment::Index(_) => match here.map(|here| &here.base) {
                    Some(BaseType::List(item)) => &**item,
                    _ => return None,
                },
            };
            if next.nullable {
                nullable_until = at + 1;
            }
            here = Some(next);
        }
        Some(path[..nullable_until].iter().map(Step::from).collect())
    }
}

/// The type at the bottom of lists.
fn named(of: &Type) -> &Name {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name).map(|operation| &operation.node),
        (DocumentOperations::Multiple(all), None) => all.values().next().map(|operation| &operation.node),
    }
}

/// The fields of a selection set that are answered under this key, with the types that they are asked of. The
/// document was validated: its fragments hold none of themselves.
fn fields<'a>(
    document: &'a ExecutableDocument,
    parent: &'a Name,
    set: &'a SelectionSet,
    key: &str,
    found: &mut Vec<(&'a Name, &'a Field)>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                if field.node.response_key().node == key {
                    found.push((parent, &field.node));
                }
            }
            Selection::InlineFragment(fragment) => {
                let of =
                    fragment.node.type_condition.as_ref().map_or(parent, |condition| &condition.node.on.node);
                fields(document, of, &fragment.node.selection_set.node, key, found);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    let of = &fragment.node.type_condition.node.on.node;
                    fields(document, of, &fragment.node.selection_set.node, key, found);
                }
            }
        }
    }
}

/// A step into an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(Name),
    Index(usize),
}

impl From<&PathSegment> for Step {
    fn from(segment: &PathSegment) -> Self {
        match segment {
            PathSegment::Field(key) => Self::Key(Name::new(key)),
            PathSegment::Index(index) => Self::Index(*index),
        }
    }
}

/// Puts null at a place, and around it the objects that are missing because all that they held had failed.
fn put_null(data: &mut Value, place: &[Step]) {
    let mut here = data;
    for step in place {
        here = match step {
            Step::Key(key) => {
                if *here == Value::Null {
                    *here = Value::Object(IndexMap::new());
                }
                let Value::Object(fields) = here else { return };
                fields.entry(key.clone()).or_insert(Value::Null)
            }
            Step::Index(index) => {
                let Value::List(items) = here else { return };
                let Some(item) = items.get_mut(*index) else { return };
                item
            }
        };
    }
    *here = Value::Null;
}

#[cfg(test)]
mod tests {
    use async_graphql::{ServerError, value};

    use super::*;

    const SCHEMA: &str = "
        type Query { may: Thing must: Thing! list: [Thing!]! loose: [Thing] node: Node }
        interface Node { id: ID! }
        type Thing implements Node { id: ID! name: String inner: Thing }";

    fn completed(query: &str, data: Value, paths: &[&[&str]]) -> Value {
        let error = |path: &&[&str]| ServerError {
            path: path
                .iter()
                .map(|step| match step.parse() {
                    Ok(index) => PathSegment::Index(index),
                    Err(_) => PathSegment::Field((*step).to_owned()),
                })
                .collect(),
            ..ServerError::new("failed", None)
        };
        let mut response = Response::new(data);
        response.errors = paths.iter().map(error).collect();
        Types::of(SCHEMA).complete(&mut response, &Asked::of(&Request::new(query)));
        response.data
    }

    #[test]
    fn a_field_that_may_be_null_is() {
        let left = value!({ "must": { "id": "1" } });
        let whole = value!({ "must": { "id": "1" }, "may": null });
        assert_eq!(completed("{ must { id } may { id } }", left, &[&["may"]]), whole);
        assert_eq!(completed("{ may { id } }", Value::Null, &[&["may"]]), value!({ "may": null }));
        let left = value!({ "may": { "id": "1" } });
        let whole = value!({ "may": { "id": "1", "n": null } });
        assert_eq!(completed("{ may { id n: name } }", left, &[&["may", "n"]]), whole);
    }

    #[test]
    fn what_must_not_be_null_takes_what_holds_it_along() {
        let left = value!({ "may": { "name": "a" } });
        assert_eq!(completed("{ may { id name } }", left, &[&["may", "id"]]), value!({ "may": null }));
        let left = value!({ "must": { "name": "a" } });
        assert_eq!(completed("{ must { id name } }", left, &[&["must", "id"]]), Value::Null);
        let left = value!({ "list": [{ "name": "a" }, { "id": "2", "name": "b" }] });
        assert_eq!(completed("{ list { id name } }", left, &[&["list", "0", "id"]]), Value::Null);
        let left = value!({ "loose": [{ "name": "a" }, { "id": "2" }] });
        let whole = value!({ "loose": [null, { "id": "2" }] });
        assert_eq!(completed("{ loose { id name } }", left, &[&["loose", "0", "id"]]), whole);
    }

    #[test]
    fn what_is_null_stays_so_whatever_else_failed_in_it() {
        let query = "{ may { id name inner { id } } }";
        let paths: [&[&str]; 3] = [&["may", "name"], &["may", "id"], &["may", "inner", "id"]];
        for turn in 0..3 {
            let mut turned = paths;
            turned.rotate_left(turn);
            assert_eq!(completed(query, Value::Null, &turned), value!({ "may": null }));
        }
        let paths: [&[&str]; 2] = [&["may", "name"], &["may", "inner", "name"]];
        let whole = value!({ "may": { "inner": { "name": null }, "name": null } });
        assert_eq!(completed("{ may { name inner { name } } }", Value::Null, &paths), whole);
    }

    #[test]
    fn fragments_and_several_operations_are_looked_through() {
        let query = "query A { may { id } }
            query B { node { ... on Thing { ...T } id } } fragment T on Thing { inner { name } }";
        let mut response = Response::new(value!({ "node": { "id": "1", "inner": null } }));
        response.errors = vec![ServerError {
            path: ["node", "inner", "name"].map(|key| PathSegment::Field(key.to_owned())).to_vec(),
            ..ServerError::new("failed", None)
        }];
        let asked = Asked::of(&Request::new(query).operation_name("B"));
        Types::of(SCHEMA).complete(&mut response, &asked);
        assert_eq!(response.data, value!({ "node": { "id": "1", "inner": { "name": null } } }));
    }
}
