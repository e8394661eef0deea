// An API gateway's authorizer, as vSwarm's: the token decides; `allow` and `deny` give a policy document (AWS's).
"use strict";

const server = require("./server.js");

const resource = "arn:aws:execute-api:{regionId}:{accountId}:{apiId}/{stage}/{httpVerb}/[{resource}/[{child-resources}]]";

function policy(principalId, effect) {
  const statement = { Action: "execute-api:Invoke", Effect: effect, Resource: resource };
  return JSON.stringify({
    principalId,
    policyDocument: { Version: "2012-10-17", Statement: [statement] },
    context: { stringKey: "stringval", numberKey: 123, booleanKey: true },
  });
}

function authorize(token) {
  switch (token) {
    case "allow":
      return policy("user", "Allow");
    case "deny":
      return policy("user", "Deny");
    case "unauthorized":
      return "Unauthorized";
    default:
      return "Error: Invalid token";
  }
}

function sayHello(call, callback) {
  const token = call.request.name;
  callback(null, { message: `fn: Auth | token: ${token} | resp: ${authorize(token)} | runtime: nodejs` });
}

server.serve("auth-nodejs", server.options("auth-nodejs").addr, "auth.proto", sayHello);
