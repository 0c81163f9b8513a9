# `just` lists these.
default:
    @just --list

# everything CI checks
ci:
    .ci/run

# format, then lint
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets --locked -- -D warnings

# all tests
test:
    cargo test --workspace

# kill -9 in a loop: 50 rounds on the core, then 50 through HTTP
kill rounds="50":
    PARLANCE_KILL_ROUNDS={{ rounds }} cargo test --release -p parlance-tests durability -- --nocapture
    PARLANCE_HTTP_KILL_ROUNDS={{ rounds }} cargo test --release -p parlance-tests webhooks::kills -- --nocapture

<<<<<<< HEAD
# kill, stop and restart servers and PostgreSQL under load for so many seconds
chaos seconds="300":
    PARLANCE_CHAOS_SECONDS={{ seconds }} cargo test -p parlance-tests chaos::disturbances -- --nocapture

# replace the servers of an earlier commit's build by this tree's, one by one under load, and back
rolling from:
    tests/rolling/run {{ from }}

# measure: peers, scale, commands, http, page, rebuild, lag, cold or sockets (see bench/RESULTS.md)
=======
# measure: peers, commands, http, page, rebuild, lag, cold or sockets; --postgres for the other store (see bench/RESULTS.md)
>>>>>>> 3cfa836 (bench: Let a page's run be small, and ask figures anew)
bench what="peers" *args="":
    cargo run --release --manifest-path bench/Cargo.toml --target-dir target -- {{ what }} {{ args }}

# licences, bans and sources of all dependencies (needs cargo-deny)
deny:
    cargo deny check bans licenses sources
