//! Why a member says no.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    #[error("there is no such member")]
    NotFound,
    #[error("a member with this e-mail address is here already")]
    AlreadyMember,
    #[error("this needs account settings access")]
    NotPermitted,
    #[error("only the member can change this")]
    OnlyOneself,
    #[error("the member has not been invited")]
    NotInvited,
    #[error("the profile cannot be read at the moment, so it cannot be changed")]
    ProfileUnreadable,
    #[error("the member installed a channel; hand it over first")]
    StillInstaller,
    #[error("this is for active members only")]
    NotActive,
}
