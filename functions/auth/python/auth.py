"""An API gateway's authorizer, as vSwarm's: the token decides; `allow` and `deny` give a policy document (AWS's)."""

import json

import auth_pb2
import server

RESOURCE = "arn:aws:execute-api:{regionId}:{accountId}:{apiId}/{stage}/{httpVerb}/[{resource}/[{child-resources}]]"


def policy(principal, effect):
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": RESOURCE}
    return json.dumps(
        {
            "principalId": principal,
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"stringKey": "stringval", "numberKey": 123, "booleanKey": True},
        },
        separators=(",", ":"),
    )


def authorize(token):
    if token == "allow":
        return policy("user", "Allow")
    if token == "deny":
        return policy("user", "Deny")
    return "Unauthorized" if token == "unauthorized" else "Error: Invalid token"


def say_hello(request, context):
    token = request.name
    return auth_pb2.HelloReply(message=f"fn: Auth | token: {token} | resp: {authorize(token)} | runtime: python")


server.serve("auth-python", server.arguments("auth-python").addr, auth_pb2, say_hello)
