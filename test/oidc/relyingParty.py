"""A relying party in Python, on Authlib. Reads one JSON command a line, and answers with one JSON line each.

Arguments: issuer, client_id, client_secret, redirect_uri.
"""

import json
import sys
import time

from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

issuer, client_id, client_secret, redirect_uri = sys.argv[1:]
session = OAuth2Session(
    client_id,
    client_secret,
    scope="openid profile email",
    redirect_uri=redirect_uri,
    code_challenge_method="S256",
    token_endpoint_auth_method="client_secret_basic",
)
metadata = session.get(f"{issuer}/.well-known/openid-configuration", withhold_token=True).json()
assert metadata["issuer"] == issuer
keys = None
started = {}


def start(_):
    verifier, nonce = "v" * 64, "n" * 24
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    started.update(verifier=verifier, nonce=nonce, state=state)
    return {"url": url}


def claims_of(token, nonce=None):
    """Verifies an ID token. The keys are fetched once, as a careful app does that trusts their max-age."""
    global keys
    if keys is None:
        keys = KeySet.import_key_set(session.get(metadata["jwks_uri"], withhold_token=True).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["ES256", "RS256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
        params={"nonce": nonce, "access_token": token["access_token"], "client_id": client_id},
    )
    claims.validate(leeway=5)
    return {**decoded.claims, "kid": decoded.header["kid"]}


def finish(command):
    token = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=command["url"],
        state=started["state"],
        code_verifier=started["verifier"],
    )
    userinfo = session.get(metadata["userinfo_endpoint"]).json()
    return {"claims": claims_of(token, started["nonce"]), "userinfo": userinfo}


def refresh(_):
    token = session.refresh_token(metadata["token_endpoint"])
    return {"claims": claims_of(token), "userinfo": session.get(metadata["userinfo_endpoint"]).json()}


def forget_keys(_):
    global keys
    keys = None
    return {}


def clock(command):
    """Moves the date, as the tests of the provider do."""
    time.time = lambda: command["seconds"]
    return {}


def revoke(_):
    answer = session.revoke_token(metadata["revocation_endpoint"], token=session.token["refresh_token"])
    return {"status": answer.status_code}


COMMANDS = {"start": start, "finish": finish, "refresh": refresh, "forget_keys": forget_keys, "clock": clock, "revoke": revoke}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = COMMANDS[command["do"]](command)
    except Exception as error:  # The test reads what went wrong.
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
