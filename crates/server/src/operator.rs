//! What operators ask on the command line. A command works whether or not a server runs: on the store itself,
//! or, where a server holds the embedded store, through that server, which says in the store's lock file where
//! it is and by what secret, made at each start, it lets an operator in. PostgreSQL is nobody's alone: there a command
//! goes to the store at any time.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use parlance_app::{
    Parlance,
    account::NewAccount,
    front::{Asker, DeadLetterView, FrontError, Page},
    projections,
    queries::{Queries, QuerySettings},
    sign_in::Typed,
    tokens,
};
use parlance_domain::{
    AccountId, Email, MemberId, Name, OperatorId, Position, account::Language, member::Member,
};
use parlance_store::StoreError;
use parlance_stores::AnyStore;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{config::Config, local, open};

/// A server that does not answer an operator in this time is taken for one that hangs.
const SERVER_WAIT: Duration = Duration::from_secs(30);
/// A request is some hundred bytes, and sent at once.
const BODY_BYTES_MAX: usize = 64 << 10;
const BODY_WAIT: Duration = Duration::from_secs(5);
/// How long a new account may take until it is shown.
const SHOWN_WAIT: Duration = Duration::from_secs(10);

/// How often read models are tried to be caught up with while a server folds them, too: with the pauses between, longer
/// than any page takes.
const CATCH_UP_TRIES: u32 = 200;
const CATCH_UP_PAUSE: Duration = Duration::from_millis(50);

/// How long telling running servers of what was done may take.
const HINTS_WAIT: Duration = Duration::from_secs(5);

/// A password on its way to the store. It is never printed.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewPassword(String);

impl NewPassword {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword")
    }
}

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    CreateAccount {
        name: Name,
        language: Language,
        time_zone: String,
        admin_email: Email,
        admin_name: Name,
    },
    MemberToken {
        account: AccountId,
        email: Email,
    },
    /// `None`: one is made up.
    ResetPassword {
        account: AccountId,
        email: Email,
        password: Option<NewPassword>,
    },
    OperatorToken,
    DeadLetters {
        account: Option<AccountId>,
        before: Option<u64>,
        limit: usize,
    },
    ProjectionsStatus {
        account: Option<AccountId>,
    },
}

/// Who holds a store, as the lock file says it.
#[derive(Serialize, Deserialize)]
struct Holder {
    address: SocketAddr,
    secret: String,
}

/// Asks the store, or the server that holds it.
pub async fn ask(config: &Config, request: Request) -> anyhow::Result<Value> {
    let refused = match open::parlance(config).await {
        Ok(parlance) => {
            let answered = answer(&parlance, request, false).await;
            if tokio::time::timeout(HINTS_WAIT, parlance.store.hints_told()).await.is_err() {
                tracing::warn!("running servers were not told; they find out by themselves within seconds");
            }
            return answered;
        }
        Err(error) => error,
    };
    let held = refused.chain().any(|cause| {
        matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Unavailable(why)) if why.contains("holds this store"))
    });
    let announced = if held { AnyStore::announced(&config.database) } else { None };
    match announced.and_then(|text| serde_json::from_str::<Holder>(&text).ok()) {
        Some(holder) => ask_server(&holder, &request).await,
        None => Err(refused),
    }
}

async fn ask_server(holder: &Holder, request: &Request) -> anyhow::Result<Value> {
    let address = holder.address;
    let client = local::client(SERVER_WAIT);
    let response = client
        .post(format!("http://{address}/operator"))
        .bearer_auth(&holder.secret)
        .header(header::CONTENT_TYPE, "application/json")
        .body(serde_json::to_vec(request)?)
        .send()
        .await
        .with_context(|| format!("the server at {address} holds the store, but does not answer"))?;
    let (status, body) = (response.status(), response.bytes().await?);
    let body: Value = serde_json::from_slice(&body)
        .with_context(|| format!("the server at {address} answered {status}"))?;
    match body.get("error").and_then(Value::as_str) {
        Some(error) => bail!("{error}"),
        None => Ok(body["answer"].clone()),
    }
}

/// The route that a server offers to operators on its machine; announces it in the store's lock file.
pub fn router(
    parlance: Arc<Parlance<AnyStore>>,
    database: &Path,
    address: SocketAddr,
) -> anyhow::Result<Router> {
    let secret = tokens::random(&parlance.entropy);
    let holder = serde_json::to_string(&Holder { address, secret: secret.clone() })?;
    let store = parlance.store.sqlite().context("only the embedded store is one server's")?;
    store
        .announce(&holder)
        .with_context(|| format!("cannot write the lock file of {}", database.display()))?;
    Ok(Router::new().route("/operator", post(operator)).with_state((parlance, Arc::from(secret))))
}

async fn operator(
    State((parlance, secret)): State<(Arc<Parlance<AnyStore>>, Arc<str>)>,
    request: axum::extract::Request,
) -> Response {
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("");
    if !tokens::same(given, &secret) {
        return (StatusCode::FORBIDDEN, Json(json!({ "error": "not an operator's secret" }))).into_response();
    }
    let body =
        tokio::time::timeout(BODY_WAIT, axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX)).await;
    let request = body.ok().and_then(Result::ok).and_then(|body| serde_json::from_slice(&body).ok());
    let Some(request) = request else {
        let error = json!({ "error": "not a request that this server knows: use the same version" });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    match answer(&parlance, request, true).await {
        Ok(answer) => Json(json!({ "answer": answer })).into_response(),
        Err(error) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": format!("{error:#}") }))).into_response()
        }
    }
}

/// `running`: projections run by themselves; else they are caught up here.
async fn answer(parlance: &Parlance<AnyStore>, request: Request, running: bool) -> anyhow::Result<Value> {
    match request {
        Request::CreateAccount { name, language, time_zone, admin_email, admin_name } => {
            let new = NewAccount { name, language, time_zone, admin_email, admin_name };
            let created = parlance.create_account(new).await?;
            if running {
                parlance.visible(created.account, created.receipt.position(), SHOWN_WAIT).await?;
            } else {
                catch_up(parlance, created.account).await?;
            }
            let token = member_token(parlance, created.account, created.admin).await?;
            Ok(json!({
                "account": created.account.to_string(),
                "admin": created.admin.to_string(),
                "token": token,
            }))
        }
        Request::MemberToken { account, email } => {
            let member = member(parlance, account, &email).await?;
            let token = member_token(parlance, account, member).await?;
            Ok(json!({ "member": member.to_string(), "token": token }))
        }
        Request::ResetPassword { account, email, password } => {
            let member = member(parlance, account, &email).await?;
            let made_up = password.is_none();
            let given = password.map(|password| Typed::from(password.0));
            let set = parlance.sign_in.reset_password(Asker { account, member }, given).await;
            let password = set.map_err(|error| match error {
                FrontError::NotFound => no_member(account),
                error => error.into(),
            })?;
            let shown = made_up.then(|| password.as_str());
            Ok(json!({ "member": member.to_string(), "password": shown }))
        }
        Request::OperatorToken => {
            let now = parlance.clock.now();
            let operator = OperatorId::new(parlance.entropy.id(now));
            let token = tokens::issue_operator(&parlance.store, &parlance.entropy, operator, now).await?;
            Ok(json!({ "operator": operator.to_string(), "token": token }))
        }
        Request::DeadLetters { account, before, limit } => {
            if !running {
                for account in open::accounts(&parlance.store, account).await? {
                    catch_up(parlance, account).await?;
                }
            }
            dead_letters(parlance, account, before, limit).await
        }
        Request::ProjectionsStatus { account } => {
            let mut all = Vec::new();
            for account in open::accounts(&parlance.store, account).await? {
                all.push(crate::projections::status_json(
                    &projections::status(&parlance.store, account).await?,
                ));
            }
            Ok(Value::Array(all))
        }
    }
}

/// Folds what there is. On PostgreSQL a server may fold the same at the same time; then one of both is told, and goes on
/// from where the other has come.
async fn catch_up(parlance: &Parlance<AnyStore>, account: AccountId) -> anyhow::Result<()> {
    let mut tried = 0;
    loop {
        match parlance.projections.catch_up(&parlance.store, account).await {
            Err(StoreError::Conflict(_)) if tried < CATCH_UP_TRIES => tried += 1,
            other => return Ok(other.map(|_| ())?),
        }
        tokio::time::sleep(CATCH_UP_PAUSE).await;
    }
}

/// The id of the member with this address, whether or not there is one.
async fn member(
    parlance: &Parlance<AnyStore>,
    account: AccountId,
    email: &Email,
) -> anyhow::Result<MemberId> {
    let ring = parlance.keyring.account(&parlance.store, account).await?;
    Ok(ring.with_context(|| format!("there is no account {account}"))?.ids.member(email))
}

fn no_member(account: AccountId) -> anyhow::Error {
    anyhow::anyhow!("{account} has no active member with this e-mail address")
}

/// A new API token for an active member.
pub async fn member_token(
    parlance: &Parlance<AnyStore>,
    account: AccountId,
    member: MemberId,
) -> anyhow::Result<String> {
    let state = parlance.commands.peek::<Member>(account, member.uuid()).await?;
    if !state.is_active() {
        return Err(no_member(account));
    }
    let now = parlance.clock.now();
    Ok(tokens::issue_api(&parlance.store, &parlance.entropy, account, (member, &state), now).await?)
}

async fn dead_letters(
    parlance: &Parlance<AnyStore>,
    account: Option<AccountId>,
    before: Option<u64>,
    limit: usize,
) -> anyhow::Result<Value> {
    let queries = Queries::new(parlance, QuerySettings::default());
    let mut all = Vec::new();
    let mut more = false;
    let mut accounts = open::accounts(&parlance.store, account).await?.into_iter();
    while let Some(account) = accounts.next() {
        let mut before = before.map(Position::new);
        loop {
            let wanted = (limit - all.len()).min(Page::<DeadLetterView>::ITEMS_MAX);
            let page = queries.dead_letters(OperatorId::COMMAND_LINE, account, before, wanted).await?;
            before = page.items.last().map(|letter| letter.position);
            all.extend(page.items.iter().map(dead_letter_json));
            more = page.more;
            if all.len() == limit || !page.more {
                break;
            }
        }
        if all.len() == limit {
            more |= accounts.next().is_some();
            break;
        }
    }
    Ok(json!({ "deadLetters": all, "more": more }))
}

fn dead_letter_json(letter: &DeadLetterView) -> Value {
    json!({
        "account": letter.account.to_string(),
        "id": letter.id.to_string(),
        "connection": letter.connection.to_string(),
        "because": letter.because.code(),
        "bytes": letter.bytes,
        "keptAt": letter.kept_at.to_string(),
        "expiresAt": letter.expires_at.to_string(),
        "position": letter.position.number(),
        "fate": letter.fate,
    })
}
