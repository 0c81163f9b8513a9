//! How much one request may ask. What the document alone tells is judged here, before async-graphql sees it: its
//! own checks walk a document with all fragments spread out, which thirty nested fragments make a billion steps.
//! A query's complexity is judged by the validation.

use std::collections::HashMap;

use async_graphql::{
    ErrorExtensionValues, Name, Positioned, ServerError, Value, Variables,
    parser::types::{ExecutableDocument, FragmentDefinition, OperationType, Selection, SelectionSet},
};

use crate::text_size::{TextError, measure};

/// Fields within fields. The deepest page needs nine.
const DEPTH_MAX: usize = 12;
/// The same in introspection, where a type's `ofType` is nested up to nine deep.
const INTROSPECTION_DEPTH_MAX: usize = 20;
/// Lists of members within lists of members of types. Each multiplies the answer by the schema's size.
const INTROSPECTION_LISTS_MAX: usize = 2;
/// Fields, those of a page's items as many times as there may be items: a hundred conversations with ten
/// fields, their last message and three messages each.
pub(crate) const COMPLEXITY_MAX: usize = 2_000;
/// Fields and fragments, all fragments spread out, items of pages once: an introspection has about two hundred.
const SELECTIONS_MAX: usize = 1_000;
/// Renamed fields in the whole document.
const ALIASES_MAX: usize = 30;
/// Each query is at least one read of the store.
const QUERIES_MAX: usize = 20;
/// Each mutation is a write, and they are done one after the other.
const MUTATIONS_MAX: usize = 5;
/// A subscription has one root field (GraphQL, section 5.2.4.1): its answers have that field, and a client that reads
/// answers with several would find all but one of them missing.
const SUBSCRIPTIONS_MAX: usize = 1;
/// On one field.
pub(crate) const DIRECTIVES_MAX: usize = 4;
/// Selections within selections, as the parser meets them.
pub(crate) const NESTING_MAX: usize = 32;

/// Words, numbers, strings and signs of a document. An introspection has some five hundred.
pub(crate) const TOKENS_MAX: usize = 5_000;
/// In the whole document.
pub(crate) const ALL_DIRECTIVES_MAX: usize = 50;
/// Values within values of variables: the deepest input has three levels.
const VARIABLES_DEPTH_MAX: usize = 8;
/// Values of all variables, lists and objects among them: the longest list of ids has a hundred.
const VARIABLE_VALUES_MAX: usize = 1_000;

/// The code of a document that asks too much.
const TOO_LARGE: &str = "QUERY_TOO_LARGE";
/// The code of an introspection where there is none.
const INTROSPECTION_OFF: &str = "INTROSPECTION_OFF";

/// Refuses a text that no parser should see.
pub(crate) fn check_text(document: &str) -> Result<(), ServerError> {
    measure(document).map_err(|error| {
        too_large(match error {
            TextError::Nesting => "The request asks too much: its brackets are nested too deep.".to_owned(),
            TextError::Length => {
                format!("The request asks too much: its words and signs may be at most {TOKENS_MAX}.")
            }
            TextError::Directives => {
                format!("The request asks too much: directives in it may be at most {ALL_DIRECTIVES_MAX}.")
            }
        })
    })
}

/// Refuses variables that no resolver should see.
pub(crate) fn check_variables(variables: &Variables) -> Result<(), ServerError> {
    let mut left = VARIABLE_VALUES_MAX;
    for value in variables.values() {
        count_values(value, VARIABLES_DEPTH_MAX, &mut left).ok_or_else(|| {
            too_large(format!(
                "The request asks too much: variables may hold at most {VARIABLE_VALUES_MAX} values, \
                 nested at most {VARIABLES_DEPTH_MAX} deep."
            ))
        })?;
    }
    Ok(())
}

/// `None`: too many, or too deep.
fn count_values(value: &Value, depth: usize, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(1)?;
    let mut inner = |value| count_values(value, depth.checked_sub(1)?, left);
    match value {
        Value::List(items) => items.iter().try_for_each(|item| inner(item).ok_or(())).ok(),
        Value::Object(fields) => fields.values().try_for_each(|field| inner(field).ok_or(())).ok(),
        _ => Some(()),
    }
}

/// Refuses a document that asks too much, or, where it may not, for the schema.
pub(crate) fn check(document: &ExecutableDocument, introspection: bool) -> Result<(), ServerError> {
    let introspects = judge(document).map_err(too_large)?;
    if introspects && !introspection {
        let message = "The schema cannot be asked for on this server.";
        return Err(coded(INTROSPECTION_OFF, message.to_owned()));
    }
    Ok(())
}

fn too_large(message: String) -> ServerError {
    coded(TOO_LARGE, message)
}

fn coded(code: &str, message: String) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    ServerError { extensions: Some(extensions), ..ServerError::new(message, None) }
}

/// What a selection comes to once its fragments are spread out.
#[derive(Clone, Copy, Default)]
struct Extent {
    depth: usize,
    /// Fields and fragments, here and inside.
    selections: usize,
    /// Fields right here, not inside of another one.
    roots: usize,
    /// Introspection lists within each other.
    lists: usize,
    /// Whether `__schema` or `__type` is asked right here.
    introspects: bool,
}

impl Extent {
    /// A fragment is walked too.
    fn one_more(self) -> Self {
        Self { selections: self.selections.saturating_add(1), ..self }
    }

    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            selections: self.selections.saturating_add(other.selections),
            roots: self.roots.saturating_add(other.roots),
            lists: self.lists.max(other.lists),
            introspects: self.introspects || other.introspects,
        }
    }
}

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Measures each fragment once, however often it is spread.
struct Measure<'a> {
    fragments: &'a Fragments,
    measured: HashMap<&'a Name, Extent>,
    /// How deep the walk is; it ends at [`NESTING_MAX`], or a chain of fragments would exhaust the stack.
    nesting: usize,
    nested_too_deep: bool,
}

impl<'a> Measure<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Extent {
        if self.nesting == NESTING_MAX {
            self.nested_too_deep = true;
            return Extent::default();
        }
        self.nesting += 1;
        let extent = set
            .items
            .iter()
            .fold(Extent::default(), |extent, item| extent.beside(self.selection(&item.node)));
        self.nesting -= 1;
        extent
    }

    fn selection(&mut self, selection: &'a Selection) -> Extent {
        match selection {
            Selection::Field(field) => {
                let inner = self.set(&field.node.selection_set.node);
                let name = field.node.name.node.as_str();
                let is_list = ["fields", "interfaces", "possibleTypes", "inputFields"].contains(&name);
                Extent {
                    depth: inner.depth.saturating_add(1),
                    selections: inner.selections.saturating_add(1),
                    roots: 1,
                    lists: inner.lists + usize::from(is_list),
                    introspects: name == "__schema" || name == "__type",
                }
            }
            Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node).one_more(),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(extent) = self.measured.get(name) {
                    return extent.one_more();
                }
                let Some((name, fragment)) = self.fragments.get_key_value(name) else {
                    return Extent::default().one_more(); // the validation refuses it
                };
                // Stands while the fragment is measured, so that one that holds itself ends: it is refused later.
                self.measured.insert(name, Extent::default());
                let extent = self.set(&fragment.node.selection_set.node);
                self.measured.insert(name, extent);
                extent.one_more()
            }
        }
    }
}

fn aliases(set: &SelectionSet) -> usize {
    let of = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => {
            usize::from(field.node.alias.is_some()) + aliases(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => aliases(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(of).sum()
}

/// Whether the document asks for the schema.
fn judge(document: &ExecutableDocument) -> Result<bool, String> {
    let mut measure = Measure {
        fragments: &document.fragments,
        measured: HashMap::new(),
        nesting: 0,
        nested_too_deep: false,
    };
    let mut renamed: usize =
        document.fragments.values().map(|fragment| aliases(&fragment.node.selection_set.node)).sum();
    let bounded = |what: &str, number: usize, max: usize| {
        if number <= max { Ok(()) } else { Err(format!("The request asks too much: {what} {max}.")) }
    };
    let (mut selections, mut introspects) = (0_usize, false);
    for (_, operation) in document.operations.iter() {
        let set = &operation.node.selection_set.node;
        renamed = renamed.saturating_add(aliases(set));
        let extent = measure.set(set);
        selections = selections.saturating_add(extent.selections);
        if measure.nested_too_deep {
            return Err(format!(
                "The request asks too much: selections may be nested at most {NESTING_MAX}."
            ));
        }
        let depth_max = if extent.introspects { INTROSPECTION_DEPTH_MAX } else { DEPTH_MAX };
        bounded("fields may be nested at most", extent.depth, depth_max)?;
        introspects |= extent.introspects;
        if extent.introspects {
            bounded("introspection lists may be nested at most", extent.lists, INTROSPECTION_LISTS_MAX)?;
        }
        match operation.node.ty {
            OperationType::Mutation => {
                bounded("mutations in one request may be at most", extent.roots, MUTATIONS_MAX)?;
            }
            OperationType::Query => {
                bounded("queries in one request may be at most", extent.roots, QUERIES_MAX)?;
            }
            OperationType::Subscription => {
                bounded("subscriptions in one request may be at most", extent.roots, SUBSCRIPTIONS_MAX)?;
            }
        }
    }
    bounded("fields and fragments, spread out, may be at most", selections, SELECTIONS_MAX)?;
    bounded("renamed fields may be at most", renamed, ALIASES_MAX)?;
    Ok(introspects)
}
