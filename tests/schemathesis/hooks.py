"""What schemathesis needs to know of Parlance: its scalars, and what counts as a fault of the server."""

import schemathesis
from hypothesis import strategies as st
from hypothesis_graphql import nodes

# Faults of the installation; every other code says what is wrong with the request.
FAULTS = {"INTERNAL", "UNAVAILABLE", "OUTCOME_UNKNOWN", "TIMED_OUT"}

schemathesis.graphql.scalar("Position", st.text(max_size=20).map(nodes.String))
schemathesis.graphql.scalar("DateTime", st.datetimes().map(lambda at: nodes.String(at.isoformat() + "Z")))


@schemathesis.check
def no_fault_of_the_server(ctx, response, case):
    assert response.status_code < 500, f"status {response.status_code}"
    answer = response.json()
    for error in answer.get("errors", []):
        code = error.get("extensions", {}).get("code")
        assert code is not None, f"an error without a code: {error}"
        assert code not in FAULTS, f"a fault: {error}"
