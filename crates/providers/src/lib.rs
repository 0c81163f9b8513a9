//! What the providers speak: verifying and parsing what arrives (pure), and asking them back.
