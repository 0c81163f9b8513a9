//! The rules of a connection.

use super::{
    Connection, ConnectionAdded, ConnectionCommand, ConnectionError, ConnectionEvent, ConnectionSecrets,
    SecretsRotated,
};
use crate::{
    Issued, Personal, Surroundings,
    permissions::{Action, permitted},
};

pub(super) fn decide(
    state: &Connection,
    issued: &Issued<ConnectionCommand>,
    around: &Surroundings,
) -> Result<Vec<ConnectionEvent>, ConnectionError> {
    permitted(Action::ManageChannels, issued.by, around, None).ok_or(ConnectionError::NotPermitted)?;
    match &issued.order {
        ConnectionCommand::Add { kind, secrets } => match state.kind {
            Some(_) => Err(ConnectionError::AlreadyAdded),
            None => Ok(vec![ConnectionAdded { kind: *kind, secrets: complete(secrets)? }.into()]),
        },
        ConnectionCommand::RotateSecrets { secrets, instead_of } => {
            if state.kind.is_none() {
                return Err(ConnectionError::NotFound);
            }
            let now = state.secrets.value().map(|secrets| &secrets.signing);
            if now.zip(instead_of.as_ref()).is_some_and(|(now, seen)| now != seen) {
                return Err(ConnectionError::RotatedMeanwhile);
            }
            let secrets = complete(secrets)?;
            Ok(if secrets == state.secrets { Vec::new() } else { vec![SecretsRotated { secrets }.into()] })
        }
    }
}

fn complete(secrets: &ConnectionSecrets) -> Result<Personal<ConnectionSecrets>, ConnectionError> {
    if secrets.signing.is_empty() || secrets.webhook_token.is_empty() {
        return Err(ConnectionError::SecretMissing);
    }
    Ok(Personal::open(secrets.clone()))
}
