//! The providers' crate as others use it: through the port. One file an area.

mod checks;
mod fuzz;
mod messenger_events;
mod messenger_messages;
mod messenger_signatures;
mod support;
mod twilio;
mod twilio_forms;
mod twilio_signatures;
