//! Messenger and WhatsApp by Twilio as their documentation describes them: what demo and tests talk to over HTTP.
//! Shares no code with the rest of Parlance, so that a misunderstanding of a protocol is not confirmed by itself.
